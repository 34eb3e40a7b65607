// The order of work on one state, made once for a program and a layout: sweeps over the state, steps within a sweep.
//
// A sweep brings blocks of 2^dims cells into cache, does all its steps on one block and puts it back. The block of a
// base cell is base ^ (span of the sweep's columns), and a step's x mask is a sum of columns: in block coordinates it
// is narrow, wherever in the state it reaches.
#pragma once
#include "kernels/kernels.hpp"
#include "statevector/coordinates.hpp"

namespace qloom {

// A word on cells of 2^lane_bits amplitudes (0: lanes are samples).
struct CellWord {
    Mask x, z;              // on cells
    uint32_t flip, z_lane;  // within a cell
};

// Words whose z masks span few dimensions: (-1)^|i&z| depends on i by a short index alone, the values of the span's
// linear forms at i.
struct Forms {
    Span span;
    std::vector<uint32_t> members;  // which rotations or terms
    std::vector<Mask> coordinates;  // of each member's z: its sign is (-1)^|index & coordinates|
    size_t size() const { return size_t(1) << span.rank(); }
    uint32_t index(Mask amplitude) const { return uint32_t(span.form(amplitude)); }
};

// Up to three commuting rotations that run in one walk, or as many tables of shared phases.
struct Step {
    uint8_t words, tables;  // one of them is 0
    uint32_t rotations[3];  // or the numbers of the tables
    Mask base_z[3];         // what the base adds to the signs
    Walk walk;
    size_t list;  // where its list of firsts, or those of table indices, start
};

struct Sweep {
    unsigned dims;
    bool whole;            // the block is the state, nothing moves
    Mask pivots;           // bits that are 0 in the bases
    size_t places, flips;  // where the lists of the block's cells start
    bool any_flips;
    uint32_t first, end;  // steps
    size_t bases(size_t cells) const { return cells >> dims; }
};

class Schedule {
public:
    Schedule(const Program&, const Coordinates&, const Layout&);

    const Layout layout;
    const unsigned lane_bits, part_bits;  // 2^part_bits vectors are a cell: 1 of real states, 2 of complex ones
    size_t cells;
    std::vector<Sweep> sweeps;
    std::vector<Step> steps;
    std::vector<Forms> tables;     // of shared diagonal rotations
    std::vector<Forms> diagonal;   // of measured terms without x
    std::vector<uint32_t> others;  // measured terms with x

    CellWord on_cells(const Word& w) const {
        const Mask lanes = (Mask(1) << lane_bits) - 1;
        return {w.x >> lane_bits, w.z >> lane_bits, uint32_t(w.x & lanes), uint32_t(w.z & lanes)};
    }
    // The index of an amplitude is that of its cell's first one, XOR this.
    uint32_t lane_index(const Forms& forms, size_t lane) const { return lane_bits ? forms.index(lane) : 0; }
    uint32_t cell_index(const Forms& forms, Mask cell) const { return forms.index(cell << lane_bits); }
    const uint32_t* places(const Sweep& s) const { return place_lists.data() + s.places; }
    const uint8_t* flips(const Sweep& s) const { return s.any_flips ? flip_lists.data() + s.flips : nullptr; }
    const uint16_t* indices(const Step& s) const { return index_lists.data() + s.list; }
    // Cells are measured in runs of this many; the index of a cell in a run, for each of `diagonal`.
    size_t run() const { return cells < MOST_RUN ? cells : MOST_RUN; }
    const uint16_t* run_indices(size_t forms) const { return run_lists.data() + forms * run(); }

private:
    static constexpr size_t MOST_RUN = 1024;

    // A rotation, or a table of many.
    struct Operation {
        bool is_table;
        uint32_t number;
    };
    std::vector<Operation> operations(const Program&, bool own_weights);
    std::vector<Forms> cut_into_forms(std::vector<uint32_t> members, const std::vector<Word>& words,
                                      unsigned most_bits) const;
    bool commute(const Operation&, const Operation&) const;
    class Queue;
    void cut_into_sweeps(const std::vector<Operation>& all, bool threads_share);
    void add_sweep(const std::vector<Operation>& taken, const std::vector<Mask>& columns, bool whole);
    struct Reach {
        Mask x;
        uint32_t flip;
    };
    Reach reach(const Word&, const Span& cells_of, const std::vector<Mask>& columns) const;
    void add_steps(const std::vector<Operation>& all, const Span& cells_of, const std::vector<Mask>& columns);
    bool join(Step&, const Operation&, const Span& cells_of, const std::vector<Mask>& columns);
    void add_walk(Step&);
    void add_table(Step&, const Operation&, const std::vector<Mask>& columns);
    // Of the step that is being made: words on the vectors of the block, the lowest bit for imaginary parts if any.
    Mask x_made[3], z_made[3], lanes_made[3];  // lanes: the z of lanes
    unsigned dims_made = 0;

    const Coordinates& at;
    std::vector<uint32_t> place_lists, first_lists;
    std::vector<uint8_t> flip_lists;
    std::vector<uint16_t> index_lists, run_lists;
};

}  // namespace qloom
