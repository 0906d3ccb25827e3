//! Who may touch customer data, who is in it now, and what they did.
