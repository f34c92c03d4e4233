// What two modules in C++ share.
#include <map>
#include <memory>
#include <string>
#include <vector>

struct Word {
  virtual ~Word() = default;
  virtual unsigned weight() const = 0;
};
using Words = std::map<std::string, std::vector<std::shared_ptr<Word>>>;

void fill(Words &words, int seed);
