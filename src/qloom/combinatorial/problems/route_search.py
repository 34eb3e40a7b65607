"""Routes of vehicles made shorter: customers near each other are taken out and put back where they cost least."""

from __future__ import annotations

from math import inf, log
from random import Random

import numpy as np

from qloom.combinatorial.problems.tour_search import near_cities

# Near customers that savings join one to.
JOINED = 60
# Customers that are taken out in the mean, and of one route at most; how often a place is overlooked.
TAKEN_OUT, STRING, BLINK = 8, 4, 0.01


class RouteSearch:
    """Slack induction by string removals: a walk whose steps tear up neighbouring routes and mend them.

    Args:
        distances: symmetric, (N + 1, N + 1), node 0 is the depot.
        demands: of the nodes, (N + 1,), the depot's 0.
        capacity: of each vehicle.

    Source: Christiaens, Vanden Berghe 2020, Transportation Science 54, 417.
    """

    def __init__(self, distances: np.ndarray, demands: np.ndarray, capacity: float):
        self.d, self.demands, self.capacity = distances.tolist(), demands.tolist(), capacity
        self.near = (distances[:, 1:].argsort(axis=1, kind="stable") + 1).tolist()
        # A unit too much on a vehicle costs more than any detour.
        self.price = 2 * float(distances.max()) / float(demands[demands > 0].min(initial=capacity))

    def begin(self, routes: list[list[int]]) -> None:
        """From the customers of each vehicle."""
        self.routes, self.cost = routes, sum(self._cost(route) for route in routes)
        self.best, self.lowest = self.routes, self.cost

    def step(self, temperature: float, random: Random) -> None:
        """Tear up, mend, and keep it if that costs less than now and a random allowance."""
        routes = list(self.routes)
        self._mend(routes, self._tear(routes, random), random)
        pairs = zip(routes, self.routes, strict=True)
        cost = self.cost + sum(self._cost(new) - self._cost(old) for new, old in pairs if new is not old)
        if cost < self.cost - temperature * log(1 - random.random()):
            self.routes, self.cost = routes, cost
            if cost < self.lowest:
                self.best, self.lowest = routes, cost

    def _tear(self, routes: list[list[int]], random: Random) -> list[int]:
        """Take a string of customers out of each of some routes near a random customer (equations 5 to 9)."""
        route_of = {customer: k for k, route in enumerate(routes) for customer in route}
        string = min(STRING, len(route_of) / sum(map(bool, routes)))
        n_torn = int(random.uniform(1, 4 * TAKEN_OUT / (1 + string)))
        out, torn = list[int](), set[int]()
        for customer in self.near[random.choice(list(route_of))]:
            k = route_of[customer]
            if k in torn:
                continue
            route = routes[k]
            length = int(random.uniform(1, min(len(route), string) + 1))
            at = route.index(customer)
            start = random.randint(max(0, at - length + 1), min(at, len(route) - length))
            out += route[start : start + length]
            routes[k] = route[:start] + route[start + length :]
            torn.add(k)
            if len(torn) >= n_torn:
                break
        return out

    def _mend(self, routes: list[list[int]], customers: list[int], random: Random) -> None:
        """Put customers back one by one, in a random order, by demand, or from far or near the depot."""
        random.shuffle(customers)
        (order,) = random.choices(["random", "demand", "far", "near"], [4, 4, 2, 1])
        if order == "demand":
            customers.sort(key=lambda c: -self.demands[c])
        elif order != "random":
            customers.sort(key=lambda c: self.d[0][c], reverse=order == "far")
        d, loads = self.d, [sum(self.demands[c] for c in route) for route in routes]
        for customer in customers:
            own, demand, least, place = d[customer], self.demands[customer], inf, (0, 0)
            for k, route in enumerate(routes):
                over = loads[k] + demand - self.capacity
                extra = self.price * min(over, demand) if over > 0 else 0.0
                if extra >= least:
                    continue
                before = 0
                for at, after in enumerate([*route, 0]):
                    rise = own[before] + own[after] - d[before][after] + extra
                    if rise < least and random.random() > BLINK:
                        least, place = rise, (k, at)
                    before = after
            k, at = place
            routes[k] = [*routes[k][:at], customer, *routes[k][at:]]
            loads[k] += demand

    def _cost(self, route: list[int]) -> float:
        length = sum(self.d[a][b] for a, b in zip([0, *route], [*route, 0], strict=True))
        return length + self.price * max(sum(self.demands[c] for c in route) - self.capacity, 0.0)


def routes_by_savings(distances: np.ndarray, demands: np.ndarray, capacity: float) -> list[list[int]]:
    """A route a customer first; ends of two are joined while that fits a vehicle, where it saves most first.

    Shapes: distances (N + 1, N + 1), node 0 the depot, demands (N,).

    Source: Clarke, Wright 1964, Operations Research 12, 568.
    """
    near = near_cities(distances[1:, 1:], JOINED) + 1
    first, second = np.repeat(np.arange(1, len(distances)), near.shape[1]), near.ravel()
    saved = distances[0, first] + distances[0, second] - distances[first, second]
    route_of = {customer: [customer] for customer in range(1, len(distances))}
    load = dict(enumerate(demands.tolist(), 1))  # of the route that begins with a customer
    for k in np.argsort(-saved, kind="stable"):
        i, j = int(first[k]), int(second[k])
        one, other = route_of[i], route_of[j]
        if saved[k] <= 0 or one is other or i not in (one[0], one[-1]) or j not in (other[0], other[-1]):
            continue
        if load[one[0]] + load[other[0]] > capacity:
            continue
        total = load[one[0]] + load[other[0]]
        joined = (one if one[-1] == i else one[::-1]) + (other if other[0] == j else other[::-1])
        load[joined[0]] = total
        for customer in joined:
            route_of[customer] = joined
    return [route for customer, route in route_of.items() if customer == route[0]]
