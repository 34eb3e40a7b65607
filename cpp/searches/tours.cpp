// Source: Bentley 1992, ORSA Journal on Computing 4, 387 (near cities, queues); Martin, Otto, Felten 1991, Complex
// Systems 5, 299 (kicks); Prim 1957, Bell System Technical Journal 36, 1389.
#include "searches/tours.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "machine/interrupt.hpp"
#include "machine/random.hpp"

namespace qloom {
namespace {

using City = int32_t;

class TourWalk {
public:
    TourWalk(const Cities& cities, double least, const City* start)
        : c(cities), least(least), tour(start, start + c.n), place(c.n), queued(c.n, 0) {
        for (size_t k = 0; k < c.n; ++k) place[size_t(tour[k])] = City(k);
    }

    void ask(City city) {
        if (!queued[size_t(city)]) queued[size_t(city)] = 1, waiting.push_back(city);
    }

    // Moves at the cities that wait and at those that moves change; what they gain.
    template <class Ended>
    double descend(Ended ended) {
        double total = 0;
        while (!waiting.empty()) {
            if (ended()) {
                for (City city : waiting) queued[size_t(city)] = 0;
                waiting.clear();
                break;
            }
            const City city = waiting.back();
            waiting.pop_back(), queued[size_t(city)] = 0;
            double gain = two_opt(city);
            if (gain == 0) gain = or_opt(city);
            total += gain;
        }
        return total;
    }

    // Two neighbouring short parts change places; by how much that is longer.
    double kick(Random& random) {
        const size_t stretch = std::min<size_t>(STRETCH, c.n - 1);
        size_t i = 1 + random.below(uint32_t(stretch)), j = 1 + random.below(uint32_t(stretch));
        if (i == j) return 0;
        if (i > j) std::swap(i, j);
        const size_t start = random.below(uint32_t(c.n));
        const City a = at(start), b = at(start + 1), e = at(start + i), f = at(start + i + 1), g = at(start + j),
                   h = at(start + j + 1);
        const double rise = d(a, f) + d(g, b) + d(e, h) - d(a, b) - d(e, f) - d(g, h);
        exchange(a, b, g, h);  // a g .. f e .. b h
        exchange(a, g, f, e);  // a f .. g e .. b h
        exchange(g, e, b, h);  // a f .. g b .. e h
        for (City city : {a, b, e, f, g, h}) ask(city);
        return rise;
    }

    void keep() { made.clear(); }
    void take_back() {
        for (size_t k = made.size(); k-- > 0;) swap_ends(made[k].first, made[k].second);
        made.clear();
    }
    void leave(City* out) const { std::copy(tour.begin(), tour.end(), out); }

private:
    static constexpr size_t STRETCH = 50, LONGEST = 3;

    double d(City i, City j) const { return c.distances[size_t(i) * c.n + size_t(j)]; }
    City at(size_t k) const { return tour[k < c.n ? k : k - c.n]; }
    City next(City city) const { return at(size_t(place[size_t(city)]) + 1); }
    City prior(City city) const { return at(size_t(place[size_t(city)]) + c.n - 1); }
    City beside(City city, bool ahead) const { return ahead ? next(city) : prior(city); }
    // Steps from one city to another in a direction.
    size_t steps(City from, City to, bool ahead) const {
        const size_t n = c.n, i = size_t(place[size_t(from)]), j = size_t(place[size_t(to)]);
        return ahead ? (j + n - i) % n : (i + n - j) % n;
    }

    // The first gain by an edge to a near city.
    double two_opt(City a) {
        for (bool ahead : {true, false}) {
            const City b = beside(a, ahead);
            for (size_t k = 0; k < c.n_near; ++k) {
                const City e = c.near[size_t(a) * c.n_near + k];
                const double room = d(a, b) - d(a, e);
                if (room <= least) break;
                const City f = beside(e, ahead);
                const double gain = room + d(e, f) - d(b, f);
                if (gain <= least) continue;
                exchange(a, b, e, f);
                for (City city : {a, b, e, f}) ask(city);
                return gain;
            }
        }
        return 0;
    }

    // By moving a part of up to three cities, that begins with this one, beside a near city.
    double or_opt(City a) {
        for (bool ahead : {true, false}) {
            City end = a;
            const City before = beside(a, !ahead);
            for (size_t length = 1; length <= LONGEST && length + 3 <= c.n; ++length) {
                if (length > 1) end = beside(end, ahead);
                const City after = beside(end, ahead);
                const double freed = d(before, a) + d(end, after) - d(before, after);
                for (size_t k = 0; k < c.n_near; ++k) {
                    const City e = c.near[size_t(a) * c.n_near + k];
                    const double room = freed - d(a, e);
                    if (room <= least) break;
                    if (steps(a, e, ahead) < length) continue;
                    for (bool side : {true, false}) {
                        const City f = beside(e, side);
                        if (steps(a, f, ahead) < length) continue;
                        const double gain = room + d(e, f) - d(end, f);
                        if (gain <= least) continue;
                        move(before, a, end, after, e, f, side == ahead);
                        for (City city : {before, a, end, after, e, f}) ask(city);
                        return gain;
                    }
                }
            }
        }
        return 0;
    }

    // before [a .. end] after: the part goes between e and f, a beside e. `beyond`: f comes after e.
    void move(City before, City a, City end, City after, City e, City f, bool beyond) {
        if (beyond) {                         // before a..end after ... e f
            exchange(before, a, e, f);        // before e ... after end..a f
            exchange(before, e, after, end);  // before after ... e end..a f
            exchange(e, end, a, f);           // before after ... e a..end f
        } else {                              // before a..end after ... f e
            exchange(before, a, f, e);        // before f ... after end..a e
            exchange(before, f, after, end);  // before after ... f end..a e
        }
    }

    // Edges a b and e f, b after a as f after e in one of the directions, become a e and b f.
    void exchange(City a, City b, City e, City f) {
        if (next(a) == b && next(e) == f)
            reverse(size_t(place[size_t(b)]), size_t(place[size_t(e)]));
        else
            reverse(size_t(place[size_t(a)]), size_t(place[size_t(f)]));
    }

    // The part from i to j, over the tour's end if i > j, or the rest, which is the same trip: what is shorter.
    void reverse(size_t i, size_t j) {
        const size_t n = c.n, length = (j + n - i) % n + 1;
        if (length == n) return;
        if (2 * length > n) std::swap(i, j), i = (i + 1) % n, j = (j + n - 1) % n;
        swap_ends(i, j);
        made.push_back({i, j});
    }
    void swap_ends(size_t i, size_t j) {
        const size_t n = c.n;
        for (size_t left = ((j + n - i) % n + 1) / 2; left > 0; --left) {
            std::swap(tour[i], tour[j]);
            place[size_t(tour[i])] = City(i), place[size_t(tour[j])] = City(j);
            i = i + 1 == n ? 0 : i + 1, j = j == 0 ? n - 1 : j - 1;
        }
    }

    const Cities& c;
    const double least;
    std::vector<City> tour, place, waiting;
    std::vector<uint8_t> queued;
    std::vector<std::pair<size_t, size_t>> made;
};

}  // namespace

double improve_tour(const Cities& cities, size_t kicks, double least, uint64_t seed, City* tour) {
    const auto ended = [&] {
        Watch::check(64 * cities.n_near + 64);
        return Watch::late();
    };
    TourWalk walk(cities, least, tour);
    Random random(seed);
    for (size_t k = cities.n; k-- > 0;) walk.ask(tour[k]);
    double total = walk.descend(ended);
    for (walk.keep(); kicks > 0 && !ended(); --kicks) {
        const double rise = walk.kick(random), gain = walk.descend(ended);
        if (gain < rise - least)
            walk.take_back();
        else
            total += gain - rise, walk.keep();
    }
    walk.leave(tour);
    return total;
}

double spanning_tree(size_t n, const double* distances, const double* weights, size_t first, City* order,
                     City* parents) {
    Watch::check(n * n);
    // Of the nodes that are not in the tree yet, side by side: weights, ways to the tree, and the nodes where they end.
    std::vector<City> rest(n - first), parent(n - first, City(first));
    std::vector<double> own(weights + first, weights + n), way(n - first, std::numeric_limits<double>::infinity());
    std::iota(rest.begin(), rest.end(), City(first));
    double total = 0;
    size_t nearest = 0;
    for (size_t left = n - first; left > 0;) {
        const City node = rest[nearest];
        const double weight = own[nearest], *row = distances + size_t(node) * n;
        order[n - first - left] = node, parents[node] = parent[nearest];
        if (left < n - first) total += way[nearest];
        --left;
        rest[nearest] = rest[left], own[nearest] = own[left];
        way[nearest] = way[left], parent[nearest] = parent[left];
        double least = std::numeric_limits<double>::infinity();
        for (size_t j = 0; j < left; ++j) {
            const double length = row[rest[j]] + weight + own[j];
            const bool nearer = length < way[j];
            way[j] = nearer ? length : way[j];
            parent[j] = nearer ? node : parent[j];
            least = way[j] < least ? way[j] : least;
        }
        nearest = size_t(std::find(way.begin(), way.begin() + std::ptrdiff_t(left), least) - way.begin());
    }
    return total;
}

}  // namespace qloom
