#include "reader.hpp"

#include <nanobind/ndarray.h>

#include <algorithm>
#include <iterator>
#include <vector>

namespace penstock {

// DLPack 1.x, https://dmlc.github.io/dlpack/latest/c_api.html; only the function that is called here has its type.
struct Exchange {
    std::uint32_t major, minor;
    void *previous, *allocate, *from_tensor_owned, *to_tensor;
    int (*from_tensor)(void* tensor, nb::dlpack::dltensor* out);
};

namespace {

PyObject* interned(Name which) {
    static const char* const names[] = {"_version", "new_empty", "data_ptr", "dtype", "shape", "is_cpu", "is_contiguous", "layer"};
    static PyObject* const all = [] {
        PyObject* made = PyTuple_New(std::size(names));
        for (std::size_t i = 0; i < std::size(names); ++i) NB_TUPLE_SET_ITEM(made, i, PyUnicode_InternFromString(names[i]));
        return made;
    }();
    return NB_TUPLE_GET_ITEM(all, which);
}

nb::object checked(PyObject* made) {
    if (!made) nb::raise_python_error();
    return nb::steal(made);
}

nb::object call(PyObject* of, Name method) {
    PyObject* arguments[] = {of};
    return checked(PyObject_VectorcallMethod(interned(method), arguments, 1, nullptr));
}

// method(self) for a method of a type: the fastest kind of call.
nb::object call(const nb::object& method, PyObject* self) {
    PyObject* arguments[] = {self};
    return checked(PyObject_Vectorcall(method.ptr(), arguments, 1, nullptr));
}

std::uintptr_t whole_number(const nb::object& of) {
    const std::uintptr_t value = PyLong_AsSize_t(of.ptr());
    if (PyErr_Occurred()) nb::raise_python_error();
    return value;
}

}  // namespace

nb::object attribute(PyObject* of, Name which) { return checked(PyObject_GetAttr(of, interned(which))); }

std::int64_t View::numel() const {
    std::int64_t n = 1;
    for (const std::int64_t size : sizes())
        require(!__builtin_mul_overflow(n, size, &n), "a tensor of more elements than can be counted");
    return n;
}

bool View::is(std::initializer_list<std::int64_t> other) const {
    return axes == int(other.size()) && std::equal(other.begin(), other.end(), shape.begin());
}

Reader::Reader(bool by_attributes) {
    const nb::module_ torch = nb::module_::import_("torch");
    tensor_ = torch.attr("Tensor");
    parameter_ = torch.attr("nn").attr("Parameter");
    float32_ = torch.attr("float32");
    int64_ = torch.attr("int64");
    storage_of_ = tensor_.attr("untyped_storage");
    storage_bytes_ = torch.attr("UntypedStorage").attr("nbytes");
    storage_data_ = torch.attr("UntypedStorage").attr("data_ptr");
    capsule_ = nb::getattr(tensor_, "__dlpack_c_exchange_api__", nb::none());
    if (by_attributes || capsule_.is_none()) return;
    const auto* table = static_cast<const Exchange*>(PyCapsule_GetPointer(capsule_.ptr(), "dlpack_exchange_api"));
    if (!table) nb::raise_python_error();
    if (table->major == 1 && table->from_tensor) exchange_ = table;
}

// Accepts exactly these two types, because subclasses may give their data another meaning, or have none.
bool Reader::describe(PyObject* tensor, View& view, Type type) const {
    PyObject* is = reinterpret_cast<PyObject*>(Py_TYPE(tensor));
    if (is != tensor_.ptr() && is != parameter_.ptr()) return false;
    return (exchange_ ? describe_exchanged(tensor, view, type) : describe_attributes(tensor, view, type)) &&
           is_aligned(view.data, type == Type::kFloat ? sizeof(float) : sizeof(std::int64_t));
}

bool Reader::describe_exchanged(PyObject* tensor, View& view, Type type) const {
    nb::dlpack::dltensor t;
    if (exchange_->from_tensor(tensor, &t)) {  // it has no ordinary memory; it may be sparse
        PyErr_Clear();
        return false;
    }
    const bool fits = t.dtype == (type == Type::kFloat ? nb::dtype<float>() : nb::dtype<std::int64_t>());
    if (t.device.device_type != nb::device::cpu::value || !fits || t.ndim < 1 || t.ndim > 3) return false;
    std::int64_t stride = 1;
    for (int axis = t.ndim - 1; axis >= 0; --axis) {
        const std::int64_t size = view.shape[axis] = t.shape[axis];
        if (size < 0 || (t.strides && size > 1 && t.strides[axis] != stride)) return false;
        if (__builtin_mul_overflow(stride, size, &stride)) return false;
    }
    view.axes = t.ndim;
    view.data = reinterpret_cast<float*>(static_cast<char*>(t.data) + t.byte_offset);
    return true;
}

bool Reader::describe_attributes(PyObject* tensor, View& view, Type type) const {
    const nb::object shape = attribute(tensor, kShape);
    const std::size_t axes = nb::len(shape);
    if (!attribute(tensor, kDtype).is(type == Type::kFloat ? float32_ : int64_) ||
        !nb::cast<bool>(attribute(tensor, kIsCpu)) || axes < 1 || axes > 3 || !nb::cast<bool>(call(tensor, kIsContiguous)))
        return false;
    for (std::size_t axis = 0; axis < axes; ++axis) view.shape[axis] = nb::cast<std::int64_t>(shape[axis]);
    view.axes = int(axes);
    view.data = reinterpret_cast<float*>(whole_number(call(tensor, kDataPtr)));
    return true;
}

void Reader::secure(PyObject* tensor, View& view, const char* what) const {
    const std::uintptr_t floats = view.numel();
    if (floats == 0) return;
    view.storage = call(storage_of_, tensor);
    const std::uintptr_t bytes = whole_number(call(storage_bytes_, view.storage.ptr())),
                         begin = whole_number(call(storage_data_, view.storage.ptr())),
                         at = reinterpret_cast<std::uintptr_t>(view.data);
    // Sizes count floats; `whole_numbers` passes a view of twice as many elements, because int64 has twice the size.
    if (floats > bytes / sizeof(float) || at < begin || at - begin > bytes - floats * sizeof(float))
        throw std::runtime_error(std::string(what) + ": the tensor's storage has " + std::to_string(bytes) +
                                 " bytes, not enough for its elements; it was freed or resized");
}

bool Reader::read(PyObject* tensor, View& view, const char* what) const {
    if (!describe(tensor, view)) return false;
    secure(tensor, view, what);
    return true;
}

View Reader::expect(nb::handle tensor, const char* what) const {
    View view;
    if (!read(tensor.ptr(), view, what))
        throw std::invalid_argument(std::string(what) + " must be a C-contiguous, aligned float32 tensor on the CPU");
    return view;
}

std::vector<std::int64_t> Reader::whole_numbers(nb::handle tensor, const char* what) const {
    View view;
    if (!describe(tensor.ptr(), view, Type::kWhole) || view.axes != 1)
        throw std::invalid_argument(std::string(what) + " must be a contiguous int64 tensor (n,) on the CPU");
    const std::int64_t n = view.shape[0];
    View bytes = view;
    require(!__builtin_mul_overflow(n, 2, &bytes.shape[0]), what);
    secure(tensor.ptr(), bytes, what);
    const auto* begin = reinterpret_cast<const std::int64_t*>(view.data);
    return {begin, begin + n};
}

bool Reader::version(PyObject* tensor, std::uint64_t& version) const {
    PyObject* found = PyObject_GetAttr(tensor, interned(kVersion));
    if (!found) {
        PyErr_Clear();
        return false;
    }
    version = PyLong_AsUnsignedLongLong(found);
    Py_DECREF(found);
    return !PyErr_Occurred();
}

nb::object Reader::fresh(nb::handle like, std::span<const std::int64_t> shape, float*& data) const {
    PyObject* arguments[1 + 3] = {like.ptr()};
    std::size_t n = 1;
    for (const std::int64_t size : shape) arguments[n++] = PyLong_FromLongLong(size);
    PyObject* made = PyObject_VectorcallMethod(interned(kNewEmpty), arguments, n, nullptr);
    for (std::size_t i = 1; i < n; ++i) Py_DECREF(arguments[i]);
    nb::object tensor = checked(made);
    View view;
    if (!describe(tensor.ptr(), view) || !std::equal(shape.begin(), shape.end(), view.shape.begin(), view.shape.begin() + view.axes))
        throw std::runtime_error("new_empty made something else than a new tensor");
    data = view.data;
    return tensor;
}

}  // namespace penstock
