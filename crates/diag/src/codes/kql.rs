use super::codes;

codes! {}
