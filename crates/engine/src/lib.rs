//! The public library of Ruleferry: language registry, pipeline driver, options
