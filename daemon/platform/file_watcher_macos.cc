// kqueue on the file itself (it tells of growth) and on its folder (it tells of a new file).
#include <fcntl.h>
#include <sys/event.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <map>
#include <utility>

#include "base/file.h"
#include "base/mutex.h"
#include "base/thread.h"
#include "platform/file_watcher.h"

namespace llmd::platform {
namespace {

constexpr uint32_t kChanges = NOTE_WRITE | NOTE_EXTEND | NOTE_DELETE | NOTE_RENAME;
constexpr uintptr_t kWake = 0;

class KqueueWatcher final : public FileWatcher {
 public:
  explicit KqueueWatcher(FileDescriptor queue) : queue_(std::move(queue)) {
    struct kevent wake;
    EV_SET(&wake, kWake, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, nullptr);
    ::kevent(queue_.get(), &wake, 1, nullptr, 0, nullptr);
    thread_ = JoiningThread("file-watch", [this] { Loop(); });
  }

  ~KqueueWatcher() override {
    struct kevent wake;
    EV_SET(&wake, kWake, EVFILT_USER, 0, NOTE_TRIGGER, 0, nullptr);
    ::kevent(queue_.get(), &wake, 1, nullptr, 0, nullptr);
    thread_.Join();
  }

  StatusOr<std::unique_ptr<Watch>> Add(const std::filesystem::path& file,
                                       std::function<void()> changed) override {
    LLMD_ASSIGN_OR_RETURN(FileDescriptor folder, OpenFile(file.parent_path(), O_EVTONLY));
    MutexLock lock(mutex_);
    const uint64_t id = next_id_++;
    Entry& entry = entries_[id];
    entry.path = file;
    entry.folder = std::move(folder);
    entry.changed = std::make_shared<std::function<void()>>(std::move(changed));
    Register(entry.folder.get(), id);
    Reopen(entry, id);
    return std::make_unique<OneWatch>(*this, id);
  }

 private:
  struct Entry {
    std::filesystem::path path;
    FileDescriptor folder;
    FileDescriptor file;  // invalid while there is none
    std::shared_ptr<std::function<void()>> changed;
  };

  class OneWatch final : public Watch {
   public:
    OneWatch(KqueueWatcher& watcher, uint64_t id) : watcher_(watcher), id_(id) {}
    ~OneWatch() override { watcher_.Remove(id_); }

   private:
    KqueueWatcher& watcher_;
    uint64_t id_;
  };

  void Register(int fd, uint64_t id) {
    struct kevent event;
    EV_SET(&event, static_cast<uintptr_t>(fd), EVFILT_VNODE, EV_ADD | EV_CLEAR, kChanges, 0,
           reinterpret_cast<void*>(id));
    ::kevent(queue_.get(), &event, 1, nullptr, 0, nullptr);
  }

  void Reopen(Entry& entry, uint64_t id) LLMD_REQUIRES(mutex_) {
    StatusOr<FileDescriptor> file = OpenFile(entry.path, O_EVTONLY);
    if (!file.ok()) return;
    entry.file = std::move(*file);
    Register(entry.file.get(), id);
  }

  void Remove(uint64_t id) {
    MutexLock lock(mutex_);
    entries_.erase(id);  // closing the descriptors takes their events away
  }

  void Loop() {
    for (;;) {
      struct kevent event;
      const int got = ::kevent(queue_.get(), nullptr, 0, &event, 1, nullptr);
      if (got < 0 && errno != EINTR) return;
      if (got != 1) continue;
      if (event.filter == EVFILT_USER) return;
      Tell(reinterpret_cast<uint64_t>(event.udata), static_cast<int>(event.ident));
    }
  }

  void Tell(uint64_t id, int fd) {
    std::shared_ptr<std::function<void()>> target;
    {
      MutexLock lock(mutex_);
      const auto at = entries_.find(id);
      if (at == entries_.end()) return;
      if (fd == at->second.folder.get()) Reopen(at->second, id);
      target = at->second.changed;
    }
    (*target)();
  }

  FileDescriptor queue_;
  Mutex mutex_;
  uint64_t next_id_ LLMD_GUARDED_BY(mutex_) = 1;
  std::map<uint64_t, Entry> entries_ LLMD_GUARDED_BY(mutex_);
  JoiningThread thread_;
};

}  // namespace

StatusOr<std::unique_ptr<FileWatcher>> MakeFileWatcher() {
  FileDescriptor queue(::kqueue());
  if (!queue.valid()) return ErrnoStatus(errno, "cannot watch files");
  return std::make_unique<KqueueWatcher>(std::move(queue));
}

}  // namespace llmd::platform
