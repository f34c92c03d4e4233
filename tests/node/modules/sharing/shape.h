// A class that one module implements and another calls.
struct Shape {
  virtual int area() const = 0;
  virtual int scaled(int factor) const { return factor * area(); }
};
