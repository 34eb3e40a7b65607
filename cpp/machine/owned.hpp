// Arrays that go up to Python with what they hold.
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <utility>
#include <vector>

namespace qloom {

// One row of numbers, or rows of so many columns.
template <class T>
nanobind::object to_array(std::vector<T>&& values, size_t columns = 0) {
    namespace nb = nanobind;
    auto* kept = new std::vector<T>(std::move(values));
    nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
    if (columns) return nb::cast(nb::ndarray<nb::numpy, T>(kept->data(), {kept->size() / columns, columns}, owner));
    return nb::cast(nb::ndarray<nb::numpy, T>(kept->data(), {kept->size()}, owner));
}

}  // namespace qloom
