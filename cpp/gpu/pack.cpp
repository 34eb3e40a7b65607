#include "gpu/pack.hpp"

#include <algorithm>
#include <complex>
#include <cstring>
#include <map>
#include <numeric>
#include <stdexcept>

namespace qloom {
namespace {

namespace device = qloom_gpu;

// Arrays one after the other, each where any of its numbers may start.
class Buffer {
public:
    template <class T>
    size_t add(const T* values, size_t count) {
        static_assert(alignof(T) <= ALIGNMENT && std::is_trivially_copyable_v<T>);
        const size_t start = bytes.size();
        bytes.resize((start + count * sizeof(T) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
        if (count) std::memcpy(bytes.data() + start, values, count * sizeof(T));
        return start;
    }
    template <class T>
    size_t add(const std::vector<T>& values) {
        return add(values.data(), values.size());
    }
    size_t size() const { return bytes.size(); }
    std::vector<uint8_t> with_head(const device::Program& head) && {
        std::memcpy(bytes.data(), &head, sizeof head);
        return std::move(bytes);
    }

private:
    static constexpr size_t ALIGNMENT = 8;
    std::vector<uint8_t> bytes;
};

// What is done with the state: rotations, and the tiles, stages and sweeps that they are done in.
class Work {
public:
    Work(const Program& p, const SlotPlaces& where) : program(p), words(p.coordinates().rotations), places(where) {}

    void add(const TilePlan& plan) {
        device::Tile tile{};
        tile.pivots = plan.block.pivots;
        std::copy(plan.block.columns.begin(), plan.block.columns.end(), tile.columns);
        tile.dims = uint32_t(plan.block.columns.size());
        tile.first_stage = uint32_t(stages.size()), tile.n_stages = uint32_t(plan.stages.size());
        tile.first = uint32_t(rotations.size()), tile.count = uint32_t(plan.block.rotations.size());
        tiles.push_back(tile);
        for (const std::vector<Block>& stage : plan.stages) add_stage(plan.block, stage);
    }

    void write(Buffer& buffer, device::Program& head) const {
        head.n_rotations = uint32_t(rotations.size()), head.rotations = buffer.add(rotations);
        head.n_tiles = uint32_t(tiles.size()), head.tiles = buffer.add(tiles);
        head.n_stages = uint32_t(stages.size()), head.stages = buffer.add(stages);
        head.n_sweeps = uint32_t(sweeps.size()), head.sweeps = buffer.add(sweeps);
        head.n_tables = uint32_t(tables.size()), head.tables = buffer.add(tables);
        head.n_slots = uint32_t(slots.size()), head.slots = buffer.add(slots);
        head.n_uses = uint32_t(uses.size()), head.uses = buffer.add(uses);
    }

private:
    void add_stage(const Block& tile, const std::vector<Block>& stage) {
        device::Stage out{};
        out.first_sweep = uint32_t(sweeps.size()), out.n_sweeps = uint32_t(stage.size());
        out.first = uint32_t(rotations.size());
        for (const Block& sweep : stage) {
            device::Sweep made{};
            made.first = uint32_t(rotations.size()), made.count = uint32_t(sweep.rotations.size());
            made.pivots = uint32_t(sweep.pivots);
            made.table = sweep.is_table ? uint32_t(tables.size()) : device::NONE;
            if (sweep.is_table) tables.push_back(uint32_t(sweeps.size()));
            std::copy(sweep.columns.begin(), sweep.columns.end(), made.columns);
            sweeps.push_back(made);
            for (uint32_t r : sweep.rotations) rotations.push_back(rotation(r, tile, sweep));
        }
        out.count = uint32_t(rotations.size()) - out.first;
        out.first_slot = uint32_t(slots.size());
        add_slots(out.first);
        out.n_slots = uint32_t(slots.size()) - out.first_slot;
        stages.push_back(out);
    }

    device::Rotation rotation(uint32_t number, const Block& tile, const Block& sweep) const {
        const Word& word = words[number];
        const Angle& angle = program.rotations[number].angle;
        const Mask x = tile.coordinates(word.x), z = tile.form(word.z);
        device::Rotation out{};
        out.scale = word.sign * angle.scale, out.offset = word.sign * angle.offset, out.turn = word.sign * angle.turn;
        out.z_base = word.z, out.z = uint32_t(z);
        out.number = number, out.real = word.real, out.in_table = sweep.is_table;
        out.m = uint8_t(sweep.coordinates(x)), out.z_register = uint8_t(sweep.form(z));
        set_slot(out, angle);
        return out;
    }

    void set_slot(device::Rotation& out, const Angle& angle) const {
        if (angle.source == Source::number) {
            out.source = device::NUMBER;
            return;
        }
        const bool is_weight = angle.source == Source::weight;
        const std::vector<uint32_t>& of_slots = is_weight ? places.weights : places.inputs;
        const uint32_t slot = uint32_t(angle.index);
        const bool is_own = !is_weight && slot >= of_slots.size();
        out.source = is_weight ? device::WEIGHT : is_own ? device::OWN_NUMBER : device::INPUT;
        out.index = is_own ? slot - uint32_t(of_slots.size()) : of_slots.at(slot);
    }

    // Of the rotations from here on, a stage's.
    void add_slots(uint32_t first) {
        std::map<std::pair<bool, uint32_t>, std::vector<device::Use>> uses_of;
        for (uint32_t r = first; r < rotations.size(); ++r) {
            const device::Rotation& one = rotations[r];
            if (one.source == device::INPUT || one.source == device::WEIGHT)
                uses_of[{one.source == device::WEIGHT, one.index}].push_back({one.scale, r - first, 0});
        }
        for (const auto& [slot, mine] : uses_of) {
            slots.push_back({slot.second, uint32_t(uses.size()), uint32_t(mine.size()), slot.first});
            uses.insert(uses.end(), mine.begin(), mine.end());
        }
    }

    const Program& program;
    const std::vector<Word>& words;
    const SlotPlaces& places;
    std::vector<device::Rotation> rotations;
    std::vector<device::Tile> tiles;
    std::vector<device::Stage> stages;
    std::vector<device::Sweep> sweeps;
    std::vector<uint32_t> tables;
    std::vector<device::Slot> slots;
    std::vector<device::Use> uses;
};

// Words by x mask, those without one first.
void write_terms(const Coordinates& at, Buffer& buffer, device::Program& head) {
    std::map<std::pair<Mask, bool>, std::vector<device::Term>> by_mask;
    for (size_t t = 0; t < at.terms.size(); ++t) {
        const Word& word = at.measured[t];
        by_mask[{word.x, word.real}].push_back({at.terms[t].coefficient * word.sign, word.z, at.terms[t].output, 0});
    }
    std::vector<device::Group> groups;
    std::vector<device::Term> terms;
    for (auto& [mask, mine] : by_mask) {
        std::stable_sort(mine.begin(), mine.end(), [](const auto& a, const auto& b) { return a.z < b.z; });
        if (!mask.first) head.n_diagonal = uint32_t(mine.size());
        for (size_t first = 0; first < mine.size(); first += device::MOST_IN_GROUP) {
            const uint32_t count = uint32_t(std::min<size_t>(mine.size() - first, device::MOST_IN_GROUP));
            groups.push_back({mask.first, uint32_t(terms.size() + first), count, mask.second, 0});
        }
        terms.insert(terms.end(), mine.begin(), mine.end());
    }
    head.n_groups = uint32_t(groups.size()), head.groups = buffer.add(groups);
    head.n_terms = uint32_t(terms.size()), head.terms = buffer.add(terms);
}

// Bits that the program does not use change no outcome: their amplitudes are 0.
device::Outcomes outcomes_of(const Coordinates& at, unsigned bits) {
    device::Outcomes out{};
    Span reached;
    size_t nulls = 0;
    out.flips = at.outcome(0);
    for (unsigned b = 0; b < bits; ++b) {
        out.output[b] = b < at.bits ? at.outcome(Mask(1) << b) ^ out.flips : 0;
        if (reached.add(out.output[b])) {
            out.lift[out.d] = Mask(1) << b, out.place[out.d] = out.output[b];
            ++out.d;
            continue;
        }
        Mask same = Mask(1) << b;  // with the lifts that make up for it
        for (Mask rest = reached.coordinates(out.output[b]); rest; rest &= rest - 1)
            same ^= out.lift[__builtin_ctzll(rest)];
        out.null[nulls++] = same;
    }
    return out;
}

// The map of basis states is affine, its quarter turns are a quadratic form: both are known from its values at the sums
// of at most two bits.
device::Amplitudes amplitudes_of(const Program& program, const Coordinates& at) {
    const FinalState& final = *program.final_state;
    const auto image = [&](Mask amplitude) { return final.basis(at.place(amplitude)); };
    const auto start = image(0);
    device::Amplitudes out{};
    out.start = start.target;
    out.split = final.split, out.n_qubits = program.n_qubits;
    for (unsigned b = 0; b < at.bits; ++b) {
        const auto one = image(Mask(1) << b);
        out.target[b] = one.target ^ start.target;
        out.quarter[b] = (one.quarter - start.quarter) & 3;
        for (unsigned a = 0; a < b; ++a) {
            const unsigned both = image(Mask(1) << a | Mask(1) << b).quarter - start.quarter;
            const unsigned more = (both - out.quarter[a] - out.quarter[b]) & 3;
            out.cross[b] |= Mask(more / 2) << a;
        }
    }
    static constexpr std::complex<double> quarters[] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};
    const std::complex<double> phase = final.phase * quarters[start.quarter];
    out.phase[0] = phase.real(), out.phase[1] = phase.imag();
    return out;
}

void write_outputs(const Program& program, Buffer& buffer, device::Program& head) {
    const Coordinates& at = program.coordinates();
    head.n_outputs = uint32_t(program.n_outputs);
    if (program.final_state) {
        head.kind = device::AMPLITUDES;
        const device::Amplitudes amplitudes = amplitudes_of(program, at);
        head.amplitudes = buffer.add(&amplitudes, 1);
    } else if (program.probabilities) {
        head.kind = device::OUTCOMES;
        const device::Outcomes outcomes = outcomes_of(at, head.bits);
        head.outcomes = buffer.add(&outcomes, 1);
    } else {
        head.kind = device::TERMS;
        write_terms(at, buffer, head);
    }
}

// The first of a whole row of inputs with amplitudes, among those of the call.
uint32_t column_of(int64_t column, const Program& program, const std::vector<uint32_t>& places) {
    if (column < 0) return device::NONE;
    const size_t first = size_t(column), size = program.size();
    if (first + size > places.size()) throw std::invalid_argument("amplitudes to start from are none of the inputs");
    for (size_t k = 0; k < size; ++k)
        if (places[first + k] != places[first] + k)
            throw std::invalid_argument("amplitudes to start from do not lie side by side among the inputs");
    return places[first];
}

void write_start(const Program& program, const SlotPlaces& places, Buffer& buffer, device::Program& head) {
    head.start = program.real_column >= 0  ? device::FROM_INPUTS
                 : program.initial.empty() ? device::ZERO
                                           : device::FIXED;
    head.real_column = column_of(program.real_column, program, places.inputs);
    head.imaginary_column = column_of(program.imaginary_column, program, places.inputs);
    head.initial = buffer.add(program.initial);
}

void check(const DeviceShape& shape, unsigned bits) {
    const bool fits = shape.register_bits >= 1 && shape.register_bits <= device::MOST_REGISTER_BITS &&
                      shape.register_bits <= shape.whole_bits && shape.whole_bits <= device::MOST_TILE_BITS;
    if (!fits) throw std::invalid_argument("expected 1 to 4 register_bits, and whole_bits from there to 14");
    const bool tiles_fit = LEAST_TILE_BITS <= shape.tile_bits && shape.register_bits <= shape.tile_bits &&
                           shape.tile_bits <= shape.whole_bits;
    if (bits > shape.whole_bits && !tiles_fit)
        throw std::invalid_argument("expected tile_bits from 6 to whole_bits, and at least register_bits");
}

// Rotations by angles that all samples share.
std::vector<bool> shared_of(const Program& program) {
    std::vector<bool> out;
    for (const Rotation& rotation : program.rotations) out.push_back(rotation.angle.source != Source::input);
    return out;
}

}  // namespace

PackedProgram pack(const Program& program, DeviceShape shape, const SlotPlaces& places, bool real, bool with_tables) {
    const Coordinates& at = program.coordinates();
    shape.bits = std::max({at.bits, shape.register_bits, shape.bits});
    check(shape, shape.bits);
    device::Program head{};
    head.bits = shape.bits, head.used_bits = at.bits, head.is_real = real;
    Buffer buffer;
    buffer.add(&head, 1);
    Work work(program, places);
    const std::vector<bool> in_tables = with_tables && !real ? shared_of(program) : std::vector<bool>();
    for (const TilePlan& tile : plan_tiles(at.rotations, in_tables, shape)) work.add(tile);
    work.write(buffer, head);
    write_outputs(program, buffer, head);
    write_start(program, places, buffer, head);
    head.end = buffer.size();
    return {std::move(buffer).with_head(head)};
}

SlotPlaces own_places(const Program& program) {
    SlotPlaces out{std::vector<uint32_t>(program.n_inputs), std::vector<uint32_t>(program.n_weights)};
    std::iota(out.inputs.begin(), out.inputs.end(), 0u);
    std::iota(out.weights.begin(), out.weights.end(), 0u);
    return out;
}

}  // namespace qloom
