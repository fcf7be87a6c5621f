//! Carries out the orders of the plan on a shelf.
