// inotify on the file's folder: a file that is replaced or rotated is seen by its name.
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/mutex.h"
#include "base/thread.h"
#include "platform/file_watcher.h"

namespace llmd::platform {
namespace {

constexpr uint32_t kChanges = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR;

class InotifyWatcher final : public FileWatcher {
 public:
  InotifyWatcher(FileDescriptor notify, FileDescriptor wake)
      : notify_(std::move(notify)), wake_(std::move(wake)) {
    thread_ = JoiningThread("file-watch", [this] { Loop(); });
  }

  ~InotifyWatcher() override {
    const uint64_t one = 1;
    // An eventfd takes this write unless its counter is full, and then it is readable anyhow.
    [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof(one));
    thread_.Join();
  }

  StatusOr<std::unique_ptr<Watch>> Add(const std::filesystem::path& file,
                                       std::function<void()> changed) override {
    MutexLock lock(mutex_);
    const int folder = ::inotify_add_watch(notify_.get(), file.parent_path().c_str(), kChanges);
    if (folder < 0) {
      return ErrnoStatus(errno, fmt::format("cannot watch {}", file.parent_path().string()));
    }
    const uint64_t id = next_id_++;
    entries_[id] = {folder, file.filename().string(),
                    std::make_shared<std::function<void()>>(std::move(changed))};
    return std::make_unique<OneWatch>(*this, id);
  }

 private:
  struct Entry {
    int folder = -1;
    std::string name;
    std::shared_ptr<std::function<void()>> changed;
  };

  class OneWatch final : public Watch {
   public:
    OneWatch(InotifyWatcher& watcher, uint64_t id) : watcher_(watcher), id_(id) {}
    ~OneWatch() override { watcher_.Remove(id_); }

   private:
    InotifyWatcher& watcher_;
    uint64_t id_;
  };

  void Remove(uint64_t id) {
    MutexLock lock(mutex_);
    const auto at = entries_.find(id);
    if (at == entries_.end()) return;
    const int folder = at->second.folder;
    entries_.erase(at);
    for (const auto& [other, entry] : entries_) {
      if (entry.folder == folder) return;
    }
    ::inotify_rm_watch(notify_.get(), folder);
  }

  void Loop() {
    pollfd waits[] = {{notify_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    alignas(inotify_event) char buffer[16 << 10];
    for (;;) {
      if (::poll(waits, 2, -1) < 0 && errno != EINTR) return;
      if (waits[1].revents != 0) return;
      const ssize_t got = ::read(notify_.get(), buffer, sizeof(buffer));
      if (got > 0) Tell(buffer, static_cast<size_t>(got));
    }
  }

  void Tell(const char* bytes, size_t size) {
    std::set<std::pair<int, std::string>> names;
    bool overflow = false;
    for (size_t at = 0; at + sizeof(inotify_event) <= size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(bytes + at);
      overflow = overflow || (event->mask & IN_Q_OVERFLOW) != 0;
      if (event->len > 0) names.emplace(event->wd, event->name);
      at += sizeof(inotify_event) + event->len;
    }
    std::vector<std::shared_ptr<std::function<void()>>> targets;
    {
      MutexLock lock(mutex_);
      for (const auto& [id, entry] : entries_) {
        if (overflow || names.contains({entry.folder, entry.name})) {
          targets.push_back(entry.changed);
        }
      }
    }
    for (const auto& target : targets) (*target)();
  }

  FileDescriptor notify_;
  FileDescriptor wake_;
  Mutex mutex_;
  uint64_t next_id_ LLMD_GUARDED_BY(mutex_) = 1;
  std::map<uint64_t, Entry> entries_ LLMD_GUARDED_BY(mutex_);
  JoiningThread thread_;
};

}  // namespace

StatusOr<std::unique_ptr<FileWatcher>> MakeFileWatcher() {
  FileDescriptor notify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!notify.valid()) return ErrnoStatus(errno, "cannot watch files");
  FileDescriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) return ErrnoStatus(errno, "cannot watch files");
  return std::make_unique<InotifyWatcher>(std::move(notify), std::move(wake));
}

}  // namespace llmd::platform
