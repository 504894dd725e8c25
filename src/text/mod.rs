//! Texts: how they are read, compared, searched and checked. Every resource uses the same rules.
//!
//! | question | answer |
//! | --- | --- |
//! | In which form is a text stored? | [`reading::read`]; a number, code or address: [`reading::read_code`] |
//! | Is it blank, plain, one line? | [`reading::is_blank`], [`reading::is_plain`], [`reading::is_one_line`] |
//! | Are two names the same? | [`fold::name_key`] |
//! | Which words does a search find it by? | [`words::words`], [`words::name_words`] |
//! | What does a name sound like? | [`sound::sound_key`] |
//! | Which known name did the client mean? | [`nearest`] |
//! | Is it a telephone number, NHS number, postcode, date, e-mail or web address? | [`phone`], [`nhs_number`], [`postcode`], [`date`], [`email`], [`address`] |
//! | How are bytes written in digits? | [`hex`] |
//! | Is it the code of a language? | [`language`] |
//! | Which network is an address in? | [`network`] |
//! | How does the OpenAPI document describe the values of an enum? | [`described`] |
//!
//! This module doesn't know resources, the database or HTTP.

pub mod address;
pub mod date;
pub mod described;
pub mod email;
pub mod fold;
pub mod hex;
pub mod language;
pub mod nearest;
pub mod network;
pub mod nhs_number;
pub mod password;
pub mod phone;
pub mod postcode;
pub mod reading;
pub mod short_name;
pub mod slug;
pub mod sound;
pub mod words;
