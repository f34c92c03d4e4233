pub use wasmi_c_api::*;
