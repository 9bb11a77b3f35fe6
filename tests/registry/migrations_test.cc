#include "registry/migrations.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include "registry/database.h"
#include "support/temp_folder.h"

namespace llmd::registry {
namespace {

using testing::TempFolder;

const std::vector<Migration> kFirst = {
    {1, "0001_one", "CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('kept');"}};
const std::vector<Migration> kBoth = {kFirst[0],
                                      {2, "0002_two", "ALTER TABLE t ADD COLUMN b INTEGER;"}};
const std::vector<Migration> kBroken = {
    kFirst[0], {2, "0002_bad", "CREATE TABLE u (x); INSERT INTO nowhere VALUES (1);"}};

class MigrationsTest : public ::testing::Test {
 protected:
  std::unique_ptr<SQLite::Database> Open() {
    auto database = OpenDatabase(path_);
    EXPECT_TRUE(database.ok()) << database.status();
    return *std::move(database);
  }
  static int Count(SQLite::Database& database, const std::string& sql) {
    return database.execAndGet("SELECT count(*) FROM " + sql).getInt();
  }

  TempFolder folder_;
  std::string path_ = (folder_ / "registry.db").string();
};

TEST(AllMigrationsTest, AreNumberedFromOneWithoutGaps) {
  int expected = 0;
  for (const Migration& migration : AllMigrations()) {
    EXPECT_EQ(migration.version, ++expected) << migration.name;
    EXPECT_NE(std::string_view(migration.sql), "");
  }
  EXPECT_GT(expected, 0);
}

TEST_F(MigrationsTest, ANewFileGetsAllOfThemAndNoBackup) {
  const auto database = Open();
  EXPECT_EQ(*SchemaVersion(*database, kBoth), 0);
  ASSERT_TRUE(Migrate(*database, path_, kBoth).ok());
  EXPECT_EQ(*SchemaVersion(*database, kBoth), 2);
  EXPECT_EQ(Count(*database, "t WHERE b IS NULL"), 1);
  EXPECT_FALSE(std::filesystem::exists(path_ + ".backup-v0"));
  EXPECT_TRUE(Migrate(*database, path_, kBoth).ok());
}

TEST_F(MigrationsTest, AnOlderFileIsBackedUpFirst) {
  const auto database = Open();
  ASSERT_TRUE(Migrate(*database, path_, kFirst).ok());
  ASSERT_TRUE(Migrate(*database, path_, kBoth).ok());
  EXPECT_EQ(*SchemaVersion(*database, kBoth), 2);
  SQLite::Database backup(path_ + ".backup-v1");
  EXPECT_EQ(*SchemaVersion(backup, kBoth), 1);
  EXPECT_EQ(Count(backup, "t WHERE a = 'kept'"), 1);
}

TEST_F(MigrationsTest, AStepThatFailsLeavesNothingBehind) {
  const auto database = Open();
  const Status status = Migrate(*database, path_, kBroken);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(*SchemaVersion(*database, kBroken), 1);
  EXPECT_EQ(Count(*database, "sqlite_master WHERE name = 'u'"), 0);
}

TEST_F(MigrationsTest, ANewerFileIsRefused) {
  const auto database = Open();
  ASSERT_TRUE(Migrate(*database, path_, kBoth).ok());
  const auto version = SchemaVersion(*database, kFirst);
  EXPECT_EQ(version.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(GetErrorInfo(version.status()).code, "registry_too_new");
}

TEST_F(MigrationsTest, ImpossibleVersionsAndForeignFilesAreDamage) {
  const auto database = Open();
  for (const char* version : {"-1", "1879048192"}) {
    database->exec(std::string("PRAGMA user_version = ") + version);
    EXPECT_EQ(SchemaVersion(*database, kFirst).status().code(), StatusCode::kDataLoss) << version;
  }
  database->exec("PRAGMA user_version = 0; CREATE TABLE theirs (x)");
  EXPECT_EQ(SchemaVersion(*database, kFirst).status().code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace llmd::registry
