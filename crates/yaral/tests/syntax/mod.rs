mod faults;
mod forms;
mod layout;
mod properties;
