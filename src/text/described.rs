//! Enums whose values the OpenAPI document describes one by one.

use strum::{EnumMessage, IntoEnumIterator};

/// The description of an enum: what it is, and a line for each value with what the value means.
pub fn description<T: EnumMessage + IntoEnumIterator>(about: &[&str]) -> String {
    let about: Vec<&str> = about.iter().map(|line| line.trim()).collect();
    let values: Vec<String> = T::iter().filter_map(|value| line(&value)).collect();
    format!("{}\n\n{}", about.join("\n"), values.join("\n"))
}

fn line(value: &impl EnumMessage) -> Option<String> {
    let about: Vec<&str> = value.get_documentation()?.split_whitespace().collect();
    Some(format!("- `{}`: {}", value.get_serializations().first()?, about.join(" ")))
}

/// Defines an enum whose variants have `snake_case` names in JSON. The comment of each variant is also in the OpenAPI
/// document, because clients choose between the values by what they mean.
#[macro_export]
macro_rules! described {
    ($(#[doc = $about:literal])+ $(#[derive($($traits:tt)+)])* $(#[diesel($($diesel:tt)+)])?
        pub enum $name:ident { $($variants:tt)* }) => {
        $(#[doc = $about])+
        #[derive(
            Debug,
            Clone,
            Copy,
            PartialEq,
            Eq,
            serde::Serialize,
            serde::Deserialize,
            utoipa::ToSchema,
            strum::EnumIter,
            strum::EnumMessage,
        )]
        $(#[derive($($traits)+)])*
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        $(#[diesel($($diesel)+)])?
        #[schema(description = $crate::text::described::description::<Self>(&[$($about),+]))]
        pub enum $name { $($variants)* }
    };
}

#[cfg(test)]
mod tests {
    use utoipa::PartialSchema;

    crate::described! {
        /// How somebody
        /// comes.
        pub enum Way {
            /// On foot, or
            /// with a stick.
            OnFoot,
            /// By bus.
            #[serde(rename = "coach")]
            #[strum(serialize = "coach")]
            Bus,
        }
    }

    #[test]
    fn the_document_describes_each_value() {
        let schema = serde_json::to_value(Way::schema()).unwrap();
        let expected = "How somebody\ncomes.\n\n- `on_foot`: On foot, or with a stick.\n- `coach`: By bus.";
        assert_eq!(schema["description"], expected);
        assert_eq!(schema["enum"], serde_json::json!([Way::OnFoot, Way::Bus]));
    }
}
