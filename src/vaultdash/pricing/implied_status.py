"""What the inversion of an option's price can end in, and where it draws the lines."""

import numpy as np
import numpy.typing as npt

StatusArray = npt.NDArray[np.int8]

# A row's status is one of these words; inside the package, its place among them.
WORDS = np.array(["ok", "no_quote", "below_intrinsic", "above_bound", "not_determined", "no_converge"])
OK, NO_QUOTE, BELOW_INTRINSIC, ABOVE_BOUND, NOT_DETERMINED, NO_CONVERGE = range(6)

LOWEST, HIGHEST = 0.001, 5.0  # volatilities per sqrt(year) that are searched
SMALLEST, LARGEST = 1e-100, 1e100  # beyond them no figure of a contract is taken seriously
LONGEST = 1e4  # years; nor is this
FAR_MONEYNESS = 200.0  # in log; nor this
LEAST_PRICE = 1e-280  # of sqrt(F K); less has too few digits
EPSILON = float(np.finfo(np.float64).eps)
NOISE = 4.0  # roundings between a price and what it has above or below a bound
DETERMINED = 5e-9  # a price determines a volatility when its own rounding moves it by less
AMERICAN_NOISE = 1e-8  # of strike: what no American pricer tells from exercise now
