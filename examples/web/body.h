// What C knows of a shape. In C++ it is a member of an object, behind the pointer to the object's vtable.
struct body {
  float x, y, vx, vy;
  float cos, sin, spin; // which way it is turned, and how fast it turns
  float size;
  float glow; // 1 when it has just bumped into something
};
