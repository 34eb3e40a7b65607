// Arrays of a call as the native side sees them: borrowed, contiguous, in main memory, of the number type asked for.
// Tensors of a library with DLPack's exchange table are read through it, with no Python call and no conversion; all
// else, numpy first, comes as nanobind takes arrays.
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <type_traits>

namespace qloom {

// Numbers of an argument that lives as long as the call; `data` is null where None was given.
template <class T>
struct View {
    using Array = nanobind::ndarray<T, nanobind::c_contig, nanobind::device::cpu>;
    T* data = nullptr;
    size_t ndim = 0, rows = 0, size = 0;
    Array array;  // keeps what nanobind took; empty for a tensor read through the table
};

namespace exchange {

// The table a tensor type carries as a capsule in `__dlpack_c_exchange_api__` (dlpack.h, version 1).
struct Table {
    struct Version {
        uint32_t major, minor;
    } version;
    void* older;
    void *allocate, *export_owned, *import_owned;
    int (*borrow)(void* tensor, nanobind::dlpack::dltensor* out);
    void* current_stream;
};

inline const Table* table_of(PyTypeObject* type) {
    static PyObject* const name = PyUnicode_InternFromString("__dlpack_c_exchange_api__");
    PyObject* capsule = PyObject_GetAttr(reinterpret_cast<PyObject*>(type), name);
    void* table = capsule ? PyCapsule_GetPointer(capsule, "dlpack_exchange_api") : nullptr;
    Py_XDECREF(capsule);  // the type holds it
    if (!table) return PyErr_Clear(), nullptr;
    const Table* found = static_cast<const Table*>(table);
    return found->version.major == 1 && found->borrow ? found : nullptr;
}

inline bool is_contiguous(const nanobind::dlpack::dltensor& t) {
    int64_t expected = 1;
    for (int32_t d = t.ndim; t.strides && d-- > 0; expected *= t.shape[d])
        if (t.shape[d] != 1 && t.strides[d] != expected) return false;
    return true;
}

// False where the object has no table or is not what is asked for.
template <class T>
bool borrow(PyObject* object, View<T>& out) {
    const Table* table = table_of(Py_TYPE(object));
    if (!table) return false;
    nanobind::dlpack::dltensor t;
    if (table->borrow(object, &t) != 0) return PyErr_Clear(), false;
    size_t size = 1;
    for (int32_t d = 0; d < t.ndim; ++d) size *= size_t(t.shape[d]);
    const bool fits = t.dtype == nanobind::dtype<std::remove_const_t<T>>() &&
                      t.device.device_type == nanobind::device::cpu::value &&
                      (size == 0 || (t.data && is_contiguous(t)));
    if (!fits) return false;
    out.data = reinterpret_cast<T*>(static_cast<char*>(t.data) + t.byte_offset);
    out.ndim = size_t(t.ndim), out.rows = t.ndim ? size_t(t.shape[0]) : 1, out.size = size;
    return true;
}

}  // namespace exchange
}  // namespace qloom

template <class T>
struct nanobind::detail::type_caster<qloom::View<T>> {
    NB_TYPE_CASTER(qloom::View<T>, const_name("array"))

    bool from_python(handle src, uint8_t flags, cleanup_list* cleanup) {
        if (src.is_none()) return true;
        if (!PyObject_CheckBuffer(src.ptr()) && qloom::exchange::borrow(src.ptr(), value)) return true;
        make_caster<typename qloom::View<T>::Array> caster;
        if (!caster.from_python(src, flags, cleanup)) return false;
        value.array = caster.value;
        value.data = value.array.data();
        value.ndim = value.array.ndim(), value.rows = value.ndim ? value.array.shape(0) : 1;
        value.size = value.array.size();
        return true;
    }
};
