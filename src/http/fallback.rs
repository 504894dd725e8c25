//! Paths and methods that no operation has.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::error::Error;

/// Which methods each path of the document takes.
#[derive(Clone)]
pub struct Routes(Vec<(Vec<String>, Vec<String>)>);

impl Routes {
    /// Reads the document's paths.
    pub fn of(document: &utoipa::openapi::OpenApi) -> Self {
        let value = serde_json::to_value(&document.paths).unwrap_or_default();
        let paths = value.as_object().into_iter().flatten().map(|(path, item)| {
            let methods = item.as_object().into_iter().flatten().map(|(method, _)| method.to_uppercase());
            (path.split('/').map(str::to_owned).collect(), methods.filter(|m| METHODS.contains(&m.as_str())).collect())
        });
        Self(paths.collect())
    }

    /// The methods of a path, for `Allow`; `None` where there is no such path.
    fn methods(&self, path: &str) -> Option<String> {
        let parts: Vec<&str> = path.split('/').collect();
        // A parameter is any text, with what stands behind it in the template: {secret}.ics.
        let part_fits = |(template, part): (&String, &&str)| match template.split_once('}') {
            Some((_, after)) => part.strip_suffix(after).is_some_and(|value| !value.is_empty()),
            None => template == part,
        };
        let fits = |template: &[String]| template.len() == parts.len() && template.iter().zip(&parts).all(part_fits);
        let mut methods: Vec<&str> = self
            .0
            .iter()
            .filter(|(template, _)| fits(template))
            .flat_map(|(_, methods)| methods)
            .map(String::as_str)
            .collect();
        methods.sort_unstable();
        methods.dedup();
        (!methods.is_empty()).then(|| methods.join(", "))
    }
}

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Answers whatever no operation took: 405 with `Allow` where the path has other methods, else 404.
pub async fn answer(request: HttpRequest, routes: web::Data<Routes>) -> HttpResponse {
    let error = match routes.methods(request.path()) {
        Some(allow) => Error::method_not_allowed(allow),
        None => Error::not_found("path"),
    };
    HttpResponse::from_error(error)
}
