// Some samples of a call, a lane each: what a step turns words by, or multiplies them by, in all of them.
#pragma once
#include "kernels/kernels.hpp"
#include "machine/memory.hpp"
#include "propagation/program.hpp"

namespace qloom::propagation {

// Arrays are whole vectors.
using Lanes = std::vector<double, Paged<double>>;

class Samples {
public:
    Samples(const Call& c, size_t first_sample, size_t count);

    // Cosines and sines of a rotation's angle, or of a Clifford gate's.
    void turn_by(const Step& step);
    // Of a channel: number k of sample l is at [l * factor_stride() + k].
    const double* factors_of(const Step& step) const {
        return call->factors + first * call->factor_stride + step.factors;
    }
    size_t factor_stride() const { return call->factor_stride; }
    // Slopes by an angle to those by its slot, a row a lane where lanes have their own.
    void add_slopes(const Angle& angle, const double* slopes, double* d_inputs, double* d_weights) const;

    const Call* call;
    const size_t first, lanes;
    Lanes cosines, sines, opposite;  // sines with the other sign
    double least_cosine = 1;         // without its sign
    bool can_vary = false;           // the angle

private:
    void set_angle(const Angle& angle);

    Lanes angles;
};

}  // namespace qloom::propagation
