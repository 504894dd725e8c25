//! A mail before it is sent: its words, and their two forms.

use askama::Template;

use crate::error::{Error, Result};

/// What a mail says. It has at most one thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The subject. It says nothing of health, a programme or a partner: others may see it.
    pub subject: String,
    /// What comes first.
    pub before: Vec<String>,
    /// One line for each session.
    pub lines: Vec<String>,
    /// What there is to do.
    pub action: Option<Action>,
    /// What comes after it.
    pub after: Vec<String>,
    /// The page for whoever wants no more mails like this one.
    pub unsubscribe: Option<String>,
}

/// A button, or a link where there are no buttons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// What it says.
    pub label: &'static str,
    /// Where it leads.
    pub url: String,
}

/// How a mail is set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Print {
    /// As usual.
    #[default]
    Normal,
    /// In large letters.
    Large,
    /// As plain text alone.
    Plain,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    letter: &'a Letter,
    size: u32,
    closing: &'a str,
}

#[derive(Template)]
#[template(path = "mail.txt")]
struct Text<'a> {
    letter: &'a Letter,
    closing: &'a str,
}

impl Letter {
    /// The mail as HTML, without pictures and without anything that tells that it was opened.
    ///
    /// # Errors
    /// 500 if the template can't be filled.
    pub fn html(&self, print: Print) -> Result<String> {
        let size = if print == Print::Large { 24 } else { 17 };
        Html { letter: self, size, closing: super::words::en::CLOSING }.render().map_err(Error::internal)
    }

    /// The mail as plain text.
    ///
    /// # Errors
    /// 500 if the template can't be filled.
    pub fn text(&self) -> Result<String> {
        Text { letter: self, closing: super::words::en::CLOSING }.render().map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same_and_html_is_quoted() {
        let letter = Letter {
            subject: "Your <booking>".into(),
            before: vec!["Tea & \"cake\" <b>".into()],
            lines: vec!["Tuesday 5 January".into()],
            action: Some(Action {
                label: "Choose a password",
                url: "https://a.example/account/reset#token=lrl_x".into(),
            }),
            after: vec!["The end.".into()],
            unsubscribe: Some("https://a.example/account/unsubscribe#token=lru_x".into()),
        };
        let (html, text) = (letter.html(Print::Large).unwrap(), letter.text().unwrap());
        assert!(html.contains("24px") && html.contains("lang=\"en-GB\""), "{html}");
        assert!(!html.contains("<b>") && !html.contains("<img") && !html.contains("<booking>"), "{html}");
        for said in ["Tuesday 5 January", "https://a.example/account/reset#token=lrl_x", "The end.", "#token=lru_x"] {
            assert!(html.contains(said) && text.contains(said), "{said}");
        }
        assert!(text.contains("Tea & \"cake\" <b>"), "{text}");
    }
}
