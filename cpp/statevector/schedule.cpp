#include "statevector/schedule.hpp"

#include <map>
#include <mutex>

namespace qloom {
namespace {

// States of up to 2^WHOLE cells that one thread works on stay where they are: three rotations a walk keep the caches
// ahead. Of larger ones, and of those that threads share, blocks of 2^BLOCK cells are moved, in runs of 2^RUN
// neighbours; threads find at least 2^SHARES blocks.
constexpr unsigned WHOLE = 16, BLOCK = 11, RUN = 2, SHARES = 5;
// A table of shared phases: linear forms, and the rotations it takes to be worth one.
constexpr unsigned TABLE_BITS_SAMPLES = 10, TABLE_BITS_AMPLITUDES = 9, LEAST_IN_TABLE = 3;
// How far ahead a sweep looks for rotations that can be done now.
constexpr size_t WINDOW = 64;

}  // namespace

// Operations still to be placed: those that were looked at and left for later, then the others, untouched. What is left
// of a long program is not copied for every step.
class Schedule::Queue {
public:
    explicit Queue(const std::vector<Operation>& operations) : all(operations) {}
    bool empty() const { return first == waiting.size() && next == all.size(); }
    Operation front() const { return first < waiting.size() ? waiting[first] : all[next]; }
    Operation pop() { return first < waiting.size() ? waiting[first++] : all[next++]; }
    // In front of all that are left.
    void put_back(std::vector<Operation> passed_over) {
        passed_over.insert(passed_over.end(), waiting.begin() + std::ptrdiff_t(first), waiting.end());
        waiting = std::move(passed_over);
        first = 0;
    }

private:
    const std::vector<Operation>& all;
    std::vector<Operation> waiting;
    size_t first = 0, next = 0;
};

struct Program::Prepared {
    std::mutex lock;
    std::unique_ptr<const Coordinates> coordinates;
    std::vector<std::unique_ptr<const Schedule>> schedules;
};

std::shared_ptr<Program::Prepared> Program::make_prepared() { return std::make_shared<Prepared>(); }

const Coordinates& Program::coordinates() const {
    const std::lock_guard guard(prepared->lock);
    if (!prepared->coordinates) prepared->coordinates = std::make_unique<Coordinates>(*this);
    return *prepared->coordinates;
}

const Schedule& Program::schedule(const Layout& layout) const {
    coordinates();
    const std::lock_guard guard(prepared->lock);
    for (const auto& made : prepared->schedules)
        if (made->layout == layout) return *made;
    prepared->schedules.push_back(std::make_unique<Schedule>(*this, *prepared->coordinates, layout));
    return *prepared->schedules.back();
}

Schedule::Schedule(const Program& program, const Coordinates& coordinates, const Layout& how)
    : layout(how),
      lane_bits(how.lane_bits),
      part_bits(coordinates.is_real ? 0 : 1),
      cells(size_t(1) << (coordinates.bits - lane_bits)),
      at(coordinates) {
    cut_into_sweeps(operations(program, how.own_weights), how.threads_share);
    std::vector<uint32_t> diagonal_terms;
    for (uint32_t t = 0; t < at.terms.size(); ++t) (at.measured[t].x ? others : diagonal_terms).push_back(t);
    const unsigned bits = at.bits - lane_bits;
    diagonal = cut_into_forms(diagonal_terms, at.measured, bits < 4 ? 2 : bits < 14 ? bits / 2 : 7);
    for (const Forms& forms : diagonal)
        for (size_t i = 0; i < run(); ++i) run_lists.push_back(uint16_t(cell_index(forms, i)));
    for (Step& step : steps)
        if (step.words) step.walk.firsts = first_lists.data() + step.list;
}

std::vector<Schedule::Operation> Schedule::operations(const Program& program, bool own_weights) {
    std::vector<Operation> out;
    uint32_t grown = 0;
    for (const Pass& pass : program.passes) {
        std::vector<uint32_t> shared;
        for (uint32_t r = pass.first; r < pass.first + pass.count; ++r) {
            if (grown < at.growths) {
                ++grown;
                continue;
            }
            const Source source = program.rotations[r].angle.source;
            const bool is_shared = source == Source::number || (source == Source::weight && !own_weights);
            if (pass.x == 0 && is_shared)
                shared.push_back(r);
            else
                out.push_back({false, r});
        }
        if (shared.size() < LEAST_IN_TABLE) {
            for (uint32_t r : shared) out.push_back({false, r});
            continue;
        }
        for (Forms& forms :
             cut_into_forms(shared, at.rotations, lane_bits ? TABLE_BITS_AMPLITUDES : TABLE_BITS_SAMPLES)) {
            out.push_back({true, uint32_t(tables.size())});
            tables.push_back(std::move(forms));
        }
    }
    return out;
}

// Spans of at most so many dimensions, each grown along the direction that brings in most members: rotations of
// neighbouring layers are sums of one another, and share them.
std::vector<Forms> Schedule::cut_into_forms(std::vector<uint32_t> left, const std::vector<Word>& words,
                                            unsigned most_bits) const {
    std::vector<Forms> out;
    while (!left.empty()) {
        Forms& forms = out.emplace_back();
        while (!left.empty() && forms.span.rank() < most_bits) {
            std::map<Mask, size_t> members;
            for (uint32_t member : left) ++members[forms.span.rest(words[member].z)];
            Mask best = forms.span.rest(words[left[0]].z);
            for (uint32_t member : left) {
                const Mask rest = forms.span.rest(words[member].z);
                if (members[rest] > members[best]) best = rest;
            }
            forms.span.add(best);
            std::vector<uint32_t> outside;
            for (uint32_t member : left) {
                const Mask z = words[member].z;
                if (!forms.span.contains(z)) {
                    outside.push_back(member);
                    continue;
                }
                forms.members.push_back(member);
                forms.coordinates.push_back(forms.span.coordinates(z));
            }
            left = std::move(outside);
        }
    }
    return out;
}

bool Schedule::commute(const Operation& a, const Operation& b) const {
    const auto apart = [](const Word& v, const Word& w) { return parity(v.x & w.z) != parity(v.z & w.x); };
    if (a.is_table && b.is_table) return true;
    if (a.is_table) return commute(b, a);
    if (!b.is_table) return !apart(at.rotations[a.number], at.rotations[b.number]);
    for (uint32_t member : tables[b.number].members)
        if (apart(at.rotations[a.number], at.rotations[member])) return false;
    return true;
}

void Schedule::cut_into_sweeps(const std::vector<Operation>& all, bool threads_share) {
    Queue left(all);
    const unsigned bits = at.bits - lane_bits;
    const bool whole = bits <= WHOLE && !threads_share;
    const unsigned dims = whole ? bits : bits < BLOCK + SHARES ? bits - SHARES : BLOCK;
    while (!left.empty()) {
        Span span;
        std::vector<Mask> columns;
        const auto add_column = [&](Mask full) {
            if (span.rank() < dims && span.add(full >> lane_bits)) columns.push_back(full);
        };
        for (unsigned bit = 0; bit < (whole ? bits : RUN); ++bit) add_column(Mask(1) << (bit + lane_bits));
        std::vector<Operation> taken, later;
        while (!left.empty() && later.size() < WINDOW) {
            const Operation op = left.pop();
            bool now = true;
            for (size_t k = later.size(); now && k-- > 0;) now = commute(op, later[k]);
            const Mask x = now && !op.is_table ? at.rotations[op.number].x : 0;
            if (now && x >> lane_bits && !span.contains(x >> lane_bits)) {
                now = span.rank() < dims;
                add_column(x);
            }
            (now ? taken : later).push_back(op);
        }
        for (unsigned bit = 0; bit < bits; ++bit) add_column(Mask(1) << (bit + lane_bits));
        add_sweep(taken, columns, whole);
        left.put_back(later);
    }
}

void Schedule::add_sweep(const std::vector<Operation>& taken, const std::vector<Mask>& columns, bool whole) {
    Span span;
    for (Mask column : columns) span.add(column >> lane_bits);
    Sweep sweep{unsigned(columns.size()), whole, span.pivots(),          place_lists.size(),
                flip_lists.size(),        false, uint32_t(steps.size()), 0};
    std::vector<Mask> full(1, 0);
    for (Mask column : columns)
        for (size_t i = 0, size = full.size(); i < size; ++i) full.push_back(full[i] ^ column);
    for (Mask place : full) {
        const uint32_t flip = uint32_t(place & ((Mask(1) << lane_bits) - 1));
        sweep.any_flips |= flip != 0;
        if (whole) continue;
        place_lists.push_back(uint32_t(place >> lane_bits));
        flip_lists.push_back(uint8_t(flip));
    }
    dims_made = sweep.dims;
    add_steps(taken, span, columns);
    sweep.end = uint32_t(steps.size());
    sweeps.push_back(sweep);
}

void Schedule::add_table(Step& step, const Operation& op, const std::vector<Mask>& columns) {
    step.rotations[step.tables++] = op.number;
    const Forms& forms = tables[op.number];
    std::vector<uint16_t> indices(1, 0);
    for (Mask column : columns) {
        const uint16_t change = uint16_t(forms.index(column));
        for (size_t i = 0, size = indices.size(); i < size; ++i) indices.push_back(indices[i] ^ change);
    }
    index_lists.insert(index_lists.end(), indices.begin(), indices.end());
}

// The rotation's x mask as a sum of columns, and the lanes it flips besides.
Schedule::Reach Schedule::reach(const Word& word, const Span& span, const std::vector<Mask>& columns) const {
    const Mask x = span.coordinates(on_cells(word).x);
    Mask reached = 0;
    for (Mask rest = x; rest; rest &= rest - 1) reached ^= columns[__builtin_ctzll(rest)];
    return {x, uint32_t(reached ^ word.x) & ((1u << lane_bits) - 1)};
}

// Takes a rotation into a step if it can run in the same walk as those already there.
bool Schedule::join(Step& step, const Operation& op, const Span& span, const std::vector<Mask>& columns) {
    const Word& word = at.rotations[op.number];
    const Reach reached = reach(word, span, columns);
    Mask z = 0;
    for (size_t k = 0; k < columns.size(); ++k) z |= Mask(parity(columns[k] & word.z)) << k;
    const Mask to_imaginary = word.real ? 0 : 1;
    const Mask mine_x = reached.x << part_bits | to_imaginary, mine_z = z << part_bits | to_imaginary;
    if (step.words) {
        Span together;
        for (int k = 0; k < step.words; ++k) {
            together.add(x_made[k]);
            if (!commute(op, {false, step.rotations[k]})) return false;
        }
        if (step.words == 3 || x_made[0] == 0 || !together.add(mine_x)) return false;
    }
    const int k = step.words++;
    x_made[k] = mine_x, z_made[k] = mine_z, lanes_made[k] = on_cells(word).z_lane;
    step.walk.flip[k] = uint8_t(reached.flip);
    step.rotations[k] = op.number;
    step.base_z[k] = on_cells(word).z;
    return true;
}

// Operations into steps, in an order that changes nothing.
void Schedule::add_steps(const std::vector<Operation>& all, const Span& span, const std::vector<Mask>& columns) {
    Queue left(all);
    while (!left.empty()) {
        Step step{};
        if (left.front().is_table) {
            step.list = index_lists.size();
            while (!left.empty() && left.front().is_table && step.tables < MOST_TABLES)
                add_table(step, left.pop(), columns);
            steps.push_back(step);
            continue;
        }
        join(step, left.pop(), span, columns);
        std::vector<Operation> later;
        while (!left.empty() && step.words < 3 && x_made[0] != 0 && later.size() < WINDOW) {
            const Operation op = left.pop();
            bool now = !op.is_table;
            for (size_t j = later.size(); now && j-- > 0;) now = commute(op, later[j]);
            if (!now || !join(step, op, span, columns)) later.push_back(op);
        }
        add_walk(step);
        left.put_back(later);
    }
}

// The list of a step's groups: the vectors of a block that are 0 where the span of the x masks has its pivots.
void Schedule::add_walk(Step& step) {
    Walk& w = step.walk;
    Span span;
    for (int k = 0; k < step.words; ++k) {
        span.add(x_made[k]);
        w.x[k] = uint32_t(x_made[k] * vector_bytes());
        for (int j = 0; j < k; ++j)
            w.cross |= uint8_t((parity(x_made[j] & z_made[k]) ^ parity(w.flip[j] & lanes_made[k])) << (j + k - 1));
    }
    w.words = step.words;
    std::vector<uint32_t> listed[8];
    const size_t count = size_t(1) << (dims_made + part_bits - span.rank());
    Mask v = 0;
    for (size_t n = 0; n < count; ++n, v = ((v | span.pivots()) + 1) & ~span.pivots()) {
        unsigned signs = 0;
        for (int k = 0; k < step.words; ++k) signs |= parity(v & z_made[k]) << k;
        listed[signs].push_back(uint32_t(v * vector_bytes()));
    }
    step.list = first_lists.size();
    for (int signs = 0; signs < 8; ++signs) {
        w.counts[signs] = uint32_t(listed[signs].size());
        first_lists.insert(first_lists.end(), listed[signs].begin(), listed[signs].end());
    }
    steps.push_back(step);
}

}  // namespace qloom
