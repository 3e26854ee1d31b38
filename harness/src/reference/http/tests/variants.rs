//! Every permitted way.
