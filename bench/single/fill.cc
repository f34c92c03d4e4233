#include "words.h"

namespace {
struct Text : Word {
  std::string text;
  explicit Text(std::string t) : text(std::move(t)) {}
  unsigned weight() const override { return static_cast<unsigned>(text.size()); }
};
} // namespace

void fill(Words &words, int seed) {
  for (int i = 0; i < 100; i++)
    words["word " + std::to_string(i * seed % 37)].push_back(std::make_shared<Text>(std::to_string(i)));
}
