//! Texts: how they are read, compared, searched and checked. One rule for each, used by every resource.
//!
//! | question | answer |
//! | --- | --- |
//! | What is kept of a text that was sent? | [`reading::read`] |
//! | Does it say anything? Is it one plain line? | [`reading::is_blank`], [`reading::is_plain`], [`reading::is_one_line`] |
//! | Are two names the same? | [`fold::name_key`] |
//! | Which words is it found by? | [`words::words`], [`words::name_words`] |
//! | Which known name did they mean? | [`nearest`] |
//! | Is it a telephone number, NHS number, postcode, date, web address? | [`phone`], [`nhs_number`], [`postcode`], [`date`], [`address`] |
//!
//! Nothing here knows a resource, a database or HTTP.

pub mod address;
pub mod date;
pub mod fold;
pub mod nearest;
pub mod nhs_number;
pub mod password;
pub mod phone;
pub mod postcode;
pub mod reading;
pub mod short_name;
pub mod slug;
pub mod words;
