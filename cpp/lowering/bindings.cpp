// Lowering at the native boundary: gates come down as their expansions with flat lists of qubits and angles, words and
// rotations go up as arrays. A mask is a row of 64-bit numbers, bit q % 64 of number q / 64 for qubit q.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <stdexcept>

#include "lowering/frame.hpp"
#include "machine/owned.hpp"

namespace nb = nanobind;
using namespace qloom;
using namespace qloom::lowering;

namespace {

template <class T>
using List = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Masks = nb::ndarray<const uint64_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

template <class Mask>
constexpr size_t n_words() {
    return sizeof(Mask) / sizeof(uint64_t);
}

template <class Mask>
Mask read_mask(const Masks& masks, size_t row) {
    Mask mask;
    for (size_t w = 0; w < n_words<Mask>(); ++w) mask |= Mask(masks(row, w)) << (64 * w);
    return mask;
}

template <class Mask>
void write_mask(Mask mask, std::vector<uint64_t>& out) {
    static const Mask number(~uint64_t(0));
    for (size_t w = 0; w < n_words<Mask>(); ++w) out.push_back((mask >> (64 * w) & number).to_ullong());
}

// Rotations about words whose angles are not asked for, but for whether the batch shares them.
template <class Mask>
std::vector<Turn<Mask>> read_words(const Masks& x, const Masks& z, const uint8_t* shared = nullptr) {
    if (x.shape(1) != n_words<Mask>() || z.shape(1) != n_words<Mask>() || x.shape(0) != z.shape(0))
        throw std::invalid_argument("masks do not fit each other or the register");
    std::vector<Turn<Mask>> turns;
    for (size_t r = 0; r < x.shape(0); ++r) {
        const Source source = shared && !shared[r] ? Source::input : Source::weight;
        turns.push_back({read_mask<Mask>(x, r), read_mask<Mask>(z, r), {source, 0, 1, 0}});
    }
    return turns;
}

template <class Mask>
nb::tuple write_rotations(const std::vector<Turn<Mask>>& turns) {
    std::vector<uint64_t> x, z;
    std::vector<int8_t> source;
    std::vector<int32_t> index;
    std::vector<double> scale, offset;
    for (const Turn<Mask>& t : turns) {
        write_mask(t.x, x), write_mask(t.z, z);
        source.push_back(int8_t(t.angle.source)), index.push_back(t.angle.index);
        scale.push_back(t.angle.scale), offset.push_back(t.angle.offset);
    }
    constexpr size_t columns = n_words<Mask>();
    return nb::make_tuple(to_array(std::move(x), columns), to_array(std::move(z), columns), to_array(std::move(source)),
                          to_array(std::move(index)), to_array(std::move(scale)), to_array(std::move(offset)));
}

// The angles and qubits of gates in a row, read one gate after the other.
struct Row {
    List<uint32_t> qubits;
    List<int8_t> source;
    List<int32_t> index;
    List<double> scale, offset;
    size_t qubit = 0, angle = 0;

    void check(const std::vector<const Expansion*>& gates, unsigned n_qubits) const {
        size_t n = 0, a = 0;
        for (const Expansion* gate : gates) n += gate->n_qubits, a += gate->n_angles;
        bool fits =
            n == qubits.size() && a == source.size() && a == index.size() && a == scale.size() && a == offset.size();
        for (size_t j = 0; j < qubits.size(); ++j) fits = fits && qubits(j) < n_qubits;
        if (!fits) throw std::invalid_argument("qubits or angles do not fit the gates");
    }

    // The gate's own angle `a` is what it is called with, scaled and offset once more.
    Angle angle_of(const Angle& a) const {
        if (a.source == Source::number) return a;
        const size_t k = angle + a.index;
        return {Source(source(k)), index(k), a.scale * scale(k), a.scale * offset(k) + a.offset};
    }

    template <class Mask>
    void next(const Expansion& gate, std::vector<Turn<Mask>>& turns, std::vector<uint32_t>& places) {
        places.assign(qubits.data() + qubit, qubits.data() + qubit + gate.n_qubits);
        turns.clear();
        for (size_t r = 0; r < gate.letters.size(); ++r) {
            turns.push_back({{}, {}, angle_of(gate.angles[r])});
            for (unsigned j = 0; j < gate.n_qubits; ++j) {
                const char letter = gate.letters[r][j];
                turns.back().x[places[j]] = letter == 'X' || letter == 'Y';
                turns.back().z[places[j]] = letter == 'Z' || letter == 'Y';
            }
        }
        qubit += gate.n_qubits;
        angle += gate.n_angles;
    }
};

template <class Mask>
nb::tuple lower(Frame<Mask>& frame, const std::vector<const Expansion*>& gates, List<uint32_t> qubits,
                List<int8_t> source, List<int32_t> index, List<double> scale, List<double> offset) {
    Row row{qubits, source, index, scale, offset};
    row.check(gates, frame.n_qubits);
    std::vector<Turn<Mask>> turns, out;
    std::vector<uint32_t> places;
    for (const Expansion* gate : gates) {
        row.next(*gate, turns, places);
        frame.lower(turns, places, out);
    }
    return write_rotations(out);
}

template <class Mask>
nb::tuple pull(const Frame<Mask>& frame, Masks x, Masks z) {
    std::vector<double> signs;
    std::vector<uint64_t> pulled_x, pulled_z;
    for (const Turn<Mask>& turn : read_words<Mask>(x, z)) {
        const PhasedWord<Mask> word = frame.pull(turn.word());
        signs.push_back(word.sign());
        write_mask(word.x, pulled_x), write_mask(word.z, pulled_z);
    }
    constexpr size_t columns = n_words<Mask>();
    return nb::make_tuple(to_array(std::move(signs)), to_array(std::move(pulled_x), columns),
                          to_array(std::move(pulled_z), columns));
}

template <class Mask>
auto bind_frame(nb::module_& m, const char* name) {
    return nb::class_<Frame<Mask>>(m, name)
        .def(nb::init<unsigned, bool>())
        .def_ro("n_qubits", &Frame<Mask>::n_qubits)
        .def_ro("monomial", &Frame<Mask>::monomial)
        .def_ro("is_identity", &Frame<Mask>::is_identity)
        .def("lower", &lower<Mask>)
        .def("pull", &pull<Mask>);
}

nb::object effective_rotations(Masks x, Masks z, Masks measured_x, Masks measured_z, bool starts_in_zero) {
    const auto kept = [&]<class Mask>(Mask) {
        return to_array(effective(read_words<Mask>(x, z), read_words<Mask>(measured_x, measured_z), starts_in_zero));
    };
    return x.shape(1) == n_words<Narrow>() ? kept(Narrow()) : kept(Wide());
}

nb::tuple fuse_rotations(Masks x, Masks z, List<uint8_t> shared) {
    if (shared.size() != x.shape(0)) throw std::invalid_argument("expected one flag a rotation");
    Passes passes = x.shape(1) == n_words<Narrow>() ? fuse(read_words<Narrow>(x, z, shared.data()))
                                                    : fuse(read_words<Wide>(x, z, shared.data()));
    return nb::make_tuple(to_array(std::move(passes.order)), to_array(std::move(passes.starts)));
}

nb::tuple merge_numbers_of(Masks x, Masks z, List<int8_t> source, List<double> offset) {
    if (source.size() != x.shape(0) || offset.size() != x.shape(0))
        throw std::invalid_argument("expected one source and offset a rotation");
    const auto merged = [&]<class Mask>(Mask) {
        std::vector<Turn<Mask>> turns = read_words<Mask>(x, z);
        for (size_t r = 0; r < turns.size(); ++r) turns[r].angle = {Source(source(r)), 0, 0, offset(r)};
        return merge_numbers(turns);
    };
    Merged out = x.shape(1) == n_words<Narrow>() ? merged(Narrow()) : merged(Wide());
    return nb::make_tuple(to_array(std::move(out.kept)), to_array(std::move(out.turns)));
}

Expansion make_expansion(unsigned n_qubits, unsigned n_angles, std::vector<std::string> letters,
                         std::vector<int32_t> index, std::vector<double> scale, std::vector<double> offset) {
    Expansion gate{n_qubits, n_angles, std::move(letters), {}};
    for (size_t r = 0; r < gate.letters.size(); ++r) {
        if (gate.letters[r].size() != n_qubits || index.at(r) >= int(n_angles))
            throw std::invalid_argument("a gate's words and angles do not fit its qubits and angles");
        gate.angles.push_back({index[r] < 0 ? Source::number : Source::input, index[r], scale.at(r), offset.at(r)});
    }
    return gate;
}

}  // namespace

void bind_operations(nb::module_&);

void bind_lowering(nb::module_& m) {
    bind_operations(m);
    nb::class_<Expansion>(m, "Expansion", "A gate as rotations; index -1 for an angle that is a number.")
        .def("__init__", [](Expansion* self, unsigned n_qubits, unsigned n_angles, std::vector<std::string> letters,
                            std::vector<int32_t> index, std::vector<double> scale, std::vector<double> offset) {
            new (self) Expansion(make_expansion(n_qubits, n_angles, std::move(letters), std::move(index),
                                                std::move(scale), std::move(offset)));
        });
    bind_frame<Narrow>(m, "Frame");
    bind_frame<Wide>(m, "WideFrame");
    m.def("effective_rotations", &effective_rotations);
    m.def("merge_numbers", &merge_numbers_of);
    m.def("fuse_rotations", &fuse_rotations);
    m.attr("narrow_qubits") = Narrow().size();
    m.attr("wide_qubits") = Wide().size();
}
