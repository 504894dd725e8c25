//! Reads bodies. Checks the size, the time, the media type and the syntax, and then reports every fault at once.

use std::time::{Duration, Instant};

use actix_web::dev::Payload;
use actix_web::http::{Method, header};
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use super::allowed::caller_of;
use super::budget::{FREE, Reservation};
use super::context::{network_of, state};
use super::extract::Extractor;
use super::json::Unambiguous;
use super::shape;
use super::state::State;
use crate::config::Config;
use crate::error::{Error, Fault, Kind, Result};
use crate::line::Owner;

/// The largest ordinary body, in bytes.
pub const BODY_LIMIT: usize = 256 * 1024;
/// The largest roster, in bytes.
pub const ROSTER_LIMIT: usize = 16 * 1024 * 1024;
/// How many bytes of memory a roster reserves at a time.
const STEP: usize = 64 * 1024;
const JSON: [&str; 1] = ["application/json"];
/// The deepest nesting of JSON.
const DEEPEST: usize = 32;

/// A JSON body as a type that has been checked against its schema and its rules.
pub struct JsonBody<T> {
    /// The body.
    pub value: T,
    /// The bytes as they came. They tell a repeated request from another request with the same `Idempotency-Key`.
    pub bytes: Bytes,
}

impl<T: DeserializeOwned + ToSchema + Validate + 'static> Extractor for JsonBody<T> {
    const READS_BODY: bool = true;

    fn glance(request: &HttpRequest) -> Result<()> {
        glance(request, BODY_LIMIT, &JSON)
    }

    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self> {
        let bytes = read(request, payload, BODY_LIMIT).await?;
        let value = checked(parse(&bytes)?)?;
        Ok(Self { value, bytes })
    }
}

/// A JSON body that may be left out, for actions. An absent body, an empty body of any media type and `null` give the
/// default.
pub struct OptionalJson<T> {
    /// The body, or the default.
    pub value: T,
    /// The bytes as they came.
    pub bytes: Bytes,
}

impl<T: DeserializeOwned + ToSchema + Validate + Default + 'static> Extractor for OptionalJson<T> {
    const READS_BODY: bool = true;

    fn glance(request: &HttpRequest) -> Result<()> {
        let typed = request.headers().contains_key(header::CONTENT_TYPE);
        let empty = request.headers().get(header::CONTENT_LENGTH).map_or(!typed, |length| length == "0");
        if empty { Ok(()) } else { glance(request, BODY_LIMIT, &JSON) }
    }

    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self> {
        let bytes = read(request, payload, BODY_LIMIT).await?;
        if bytes.is_empty() {
            return Ok(Self { value: T::default(), bytes });
        }
        // Only now is it known whether a body that comes in chunks is empty.
        glance(request, BODY_LIMIT, &JSON)?;
        let value = match parse(&bytes)? {
            Value::Null => T::default(),
            value => checked(value)?,
        };
        Ok(Self { value, bytes })
    }
}

/// A body of bytes with its media type, for rosters.
pub struct RawBody {
    /// The bytes as they came, with the memory that is reserved for them.
    pub bytes: Bytes,
    /// The media type without parameters, in lower case.
    pub media_type: String,
    /// The character set that the media type names.
    pub charset: Option<String>,
}

/// The media type of a workbook of Excel.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// The media types in which a roster can be sent.
pub const ROSTER_TYPES: [&str; 4] = ["application/json", "application/x-ndjson", CSV, XLSX];
/// The media type of a table of text. It can be in another character set than UTF-8.
const CSV: &str = "text/csv";

impl Extractor for RawBody {
    const READS_BODY: bool = true;

    fn glance(request: &HttpRequest) -> Result<()> {
        glance(request, ROSTER_LIMIT, &ROSTER_TYPES)
    }

    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self> {
        let owner = Owner::Caller(caller_of(request)?.owner());
        let mut reservation = state(request)?.rosters.reserve(owner, declared(request).unwrap_or_default())?;
        let grow = |size: usize| reservation.grow_to(size.next_multiple_of(STEP).min(ROSTER_LIMIT));
        let bytes = read_within(request, payload, ROSTER_LIMIT, grow).await?;
        reservation.shrink_to(bytes.len());
        let bytes = Bytes::from_owner(Kept { bytes, _reservation: reservation });
        Ok(Self { bytes, media_type: media_type(request), charset: charsets(request).pop() })
    }
}

/// Bytes that were made of a roster's body, with memory that is reserved for them.
///
/// # Errors
/// 429 or 503 if rosters take too much memory.
pub fn kept(state: &State, owner: Owner, bytes: Vec<u8>) -> Result<Bytes> {
    let mut reservation = state.rosters.reserve(owner, bytes.len())?;
    reservation.grow_to(bytes.len())?;
    Ok(Bytes::from_owner(Kept { bytes: bytes.into(), _reservation: reservation }))
}

/// A form body (`application/x-www-form-urlencoded`) as pairs.
pub struct Form(pub Vec<(String, String)>);

impl Extractor for Form {
    const READS_BODY: bool = true;

    fn glance(request: &HttpRequest) -> Result<()> {
        glance(request, BODY_LIMIT, &["application/x-www-form-urlencoded"])
    }

    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self> {
        let bytes = read(request, payload, BODY_LIMIT).await?;
        Ok(Self(form_urlencoded::parse(&bytes).into_owned().collect()))
    }
}

/// The form that mail services send for whoever unsubscribes with one click (RFC 8058), as pairs. They may send it as
/// `multipart/form-data` too. Of that only its coming counts: it has nothing to choose, so its parts aren't read.
pub struct ClickedForm(pub Vec<(String, String)>);

const FORMS: [&str; 2] = ["application/x-www-form-urlencoded", "multipart/form-data"];

impl Extractor for ClickedForm {
    const READS_BODY: bool = true;

    fn glance(request: &HttpRequest) -> Result<()> {
        glance(request, BODY_LIMIT, &FORMS)
    }

    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self> {
        let bytes = read(request, payload, BODY_LIMIT).await?;
        let is_pairs = media_type(request) == FORMS[0];
        Ok(Self(if is_pairs { form_urlencoded::parse(&bytes).into_owned().collect() } else { Vec::new() }))
    }
}

/// Reads a value as a type, or reports every fault. Texts and numbers are [normalised](shape::Shape::settle) first.
pub fn checked<T: DeserializeOwned + ToSchema + Validate + 'static>(mut value: Value) -> Result<T> {
    let shape = shape::of::<T>();
    shape.settle(&mut value);
    let faults = shape.faults(&value, "");
    if !faults.is_empty() {
        return Err(Error::invalid(faults));
    }
    let typed: T = serde_path_to_error::deserialize(&value).map_err(|e| {
        let path = e.path().to_string();
        let pointer =
            if path == "." { String::new() } else { format!("/{}", path.replace(['.', '['], "/").replace(']', "")) };
        Error::rule(pointer, "wrong_format", e.into_inner().to_string())
    })?;
    typed.validate().map_err(|errors| Error::invalid(faults_of(&errors, "")))?;
    Ok(typed)
}

/// The faults that `validator` found. An error's `code` becomes the fault's code and its `message` the sentence. A rule
/// about several members (`schema`) names its place in the parameter `pointer`.
pub fn faults_of(errors: &ValidationErrors, at: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, kind) in errors.errors() {
        let below = if name == "__all__" { at.to_owned() } else { format!("{at}/{}", shape::escape(name)) };
        match kind {
            ValidationErrorsKind::Field(errors) => faults.extend(errors.iter().map(|error| {
                let pointer = error.params.get("pointer").and_then(Value::as_str).map(|p| format!("{at}{p}"));
                let detail = error.message.clone().unwrap_or_else(|| "Is not valid.".into());
                Fault::at(pointer.unwrap_or_else(|| below.clone()), error.code.clone(), detail)
            })),
            ValidationErrorsKind::Struct(inner) => faults.extend(faults_of(inner, &below)),
            ValidationErrorsKind::List(items) => {
                faults.extend(items.iter().flat_map(|(index, inner)| faults_of(inner, &format!("{below}/{index}"))));
            }
        }
    }
    faults.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    faults
}

/// Parses a body: well-formed UTF-8 JSON, nested at most 32 deep, in which no object has a member twice.
pub fn parse(bytes: &[u8]) -> Result<Value> {
    check_nesting(bytes)?;
    serde_json::from_slice(bytes).map(|Unambiguous(value)| value).map_err(not_json)
}

/// Refuses a body whose brackets nest deeper than 32.
///
/// # Errors
/// 400.
pub fn check_nesting(bytes: &[u8]) -> Result<()> {
    if nesting(bytes) > DEEPEST {
        return Err(Error::new(Kind::MalformedRequest, format!("The body is nested more than {DEEPEST} deep.")));
    }
    Ok(())
}

/// The error for a body that can't be read as JSON: 400.
pub fn not_json(cause: serde_json::Error) -> Error {
    Error::new(Kind::MalformedRequest, format!("The body is not well-formed JSON: {cause}."))
}

/// How deep brackets nest. Brackets inside texts don't count.
fn nesting(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0usize, 0usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The character sets that the `Content-Type` names, in lower case.
fn charsets(request: &HttpRequest) -> Vec<String> {
    let header = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let named = header.split(';').skip(1).filter_map(|part| part.split_once('='));
    let charsets = named.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    charsets.map(|(_, value)| value.trim().trim_matches('"').to_ascii_lowercase()).collect()
}

/// Whether the `Content-Type` names UTF-8, or no character set. ASCII is UTF-8 too. CSV can have others.
fn is_utf8(request: &HttpRequest) -> bool {
    let is_known = |charset: &String| ["utf-8", "utf8", "us-ascii"].contains(&charset.as_str());
    let charsets = charsets(request);
    charsets.iter().all(is_known) || media_type(request) == CSV && charsets.len() == 1
}

/// The media type without parameters, in lower case.
pub fn media_type(request: &HttpRequest) -> String {
    let header = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The body's length as the headers declare it.
fn declared(request: &HttpRequest) -> Option<usize> {
    request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok())
}

/// Checks what the headers say of the body: 413 if it is too large, 415 if it has another media type.
pub fn glance(request: &HttpRequest, limit: usize, types: &[&str]) -> Result<()> {
    if declared(request).is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let encoded = request.headers().get(header::CONTENT_ENCODING).is_some_and(|v| v != "identity");
    let twice = request.headers().get_all(header::CONTENT_TYPE).count() > 1;
    if !encoded && !twice && is_utf8(request) && types.contains(&media_type(request).as_str()) {
        return Ok(());
    }
    let detail = format!(
        "Send the body as {}, in UTF-8, with one Content-Type and without Content-Encoding.",
        types.join(" or ")
    );
    // RFC 5789, section 2.2, and RFC 9110, section 15.5.16.
    let taken = if request.method() == Method::PATCH { "Accept-Patch" } else { "Accept" };
    Err(Error::new(Kind::UnsupportedMediaType, detail).header(taken, types.join(", ")))
}

/// Bytes that keep their reserved memory for as long as anybody has them.
struct Kept {
    bytes: Bytes,
    _reservation: Reservation,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads the whole body: 413 if it is too large, 408 if it comes too slowly, 429 or 503 if bodies take too much memory.
pub async fn read(request: &HttpRequest, payload: &mut Payload, limit: usize) -> Result<Bytes> {
    let owner = match caller_of(request) {
        Ok(caller) => Owner::Caller(caller.owner()),
        Err(_) => Owner::Network(network_of(request)),
    };
    let mut reservation = state(request)?.bodies.reserve(owner, 0)?;
    let grow = |size| if size > FREE { reservation.grow_to(size) } else { Ok(()) };
    let bytes = read_within(request, payload, limit, grow).await?;
    Ok(if bytes.len() > FREE { Bytes::from_owner(Kept { bytes, _reservation: reservation }) } else { bytes })
}

/// Reads the whole body, with memory that `grow` reserves: it is called with the size of what has come so far.
async fn read_within(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: usize,
    mut grow: impl FnMut(usize) -> Result<()>,
) -> Result<Bytes> {
    let mut patience = Patience::of(request, limit);
    let started = Instant::now();
    let mut stream = actix_web::web::Payload::from_request(request, payload).await.map_err(Error::internal)?;
    // The capacity is only reserved. Bytes that are declared and never sent take no memory.
    let mut bytes = BytesMut::with_capacity(declared(request).unwrap_or_default().min(limit));
    loop {
        let wait = patience.left(started.elapsed());
        let Ok(next) = tokio::time::timeout(wait, stream.next()).await else {
            return Err(patience.spent());
        };
        match next {
            None => return Ok(bytes.freeze()),
            Some(Ok(chunk)) if bytes.len() + chunk.len() > limit => return Err(too_large(limit)),
            Some(Ok(chunk)) => {
                grow(bytes.len() + chunk.len())?;
                bytes.extend_from_slice(&chunk);
                patience.received(chunk.len(), started.elapsed());
            }
            Some(Err(e)) => {
                return Err(Error::new(Kind::MalformedRequest, "The body ended too early.").because(e));
            }
        }
    }
}

/// Refuses a body that no part of the operation reads: what it says would be ignored. An empty body, `null` and `{}` say
/// nothing.
///
/// # Errors
/// 400.
pub async fn refuse_body(request: &HttpRequest, payload: &mut Payload) -> Result<()> {
    let reads = request.method() == Method::GET;
    if reads || matches!(read(request, payload, BODY_LIMIT).await?.trim_ascii(), b"" | b"null" | b"{}") {
        return Ok(());
    }
    Err(Error::new(Kind::MalformedRequest, "This operation takes no body. Send none."))
}

/// How long a body is waited for.
struct Patience {
    /// The longest pause within it.
    pause: Duration,
    /// The longest time for the whole of it.
    whole: Duration,
    /// How far it may be behind its rate.
    allowance: Duration,
    /// The bytes a second that must come.
    rate: u32,
    /// When it is too far behind, from its beginning on.
    until: Duration,
}

impl Patience {
    fn of(request: &HttpRequest, limit: usize) -> Self {
        let config = request.app_data::<Data<State>>().map(|state| state.config.clone()).unwrap_or_default();
        let whole = if limit > BODY_LIMIT { config.body_time * 10 } else { config.body_time };
        Self::new(&config, whole)
    }

    fn new(config: &Config, whole: Duration) -> Self {
        let allowance = config.body_allowance;
        Self { pause: config.body_pause, whole, allowance, rate: config.body_rate, until: allowance }
    }

    /// Each byte is worth a part of a second. What comes fast earns no more than the allowance: else a body that was
    /// sent at once but for its last byte could keep its memory for hours.
    fn received(&mut self, bytes: usize, elapsed: Duration) {
        let earned = self.until + Duration::from_secs_f64(bytes as f64 / f64::from(self.rate.max(1)));
        self.until = earned.min(elapsed + self.allowance);
    }

    /// How long the next bytes may take.
    fn left(&self, elapsed: Duration) -> Duration {
        self.pause.min(self.whole.min(self.until).saturating_sub(elapsed))
    }

    fn spent(&self) -> Error {
        let Self { pause, whole, allowance, rate, .. } = self;
        let (pause, whole, allowance) = (pause.as_secs(), whole.as_secs(), allowance.as_secs());
        let detail = format!(
            "The body came too slowly. Nothing was changed. At least {rate} bytes a second must come, at no time \
             {allowance} s late, without a pause of {pause} s, and the whole within {whole} s."
        );
        Error::new(Kind::RequestTimeout, detail)
    }
}

fn too_large(limit: usize) -> Error {
    Error::new(Kind::PayloadTooLarge, format!("The body must be at most {limit} bytes."))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many seconds a body is cut off that begins with so many bytes and then comes at this rate, if it is
    /// within two minutes.
    fn cut_off(first: usize, bytes: usize, every: u64) -> Option<u64> {
        let config = Config::default();
        let mut patience = Patience::new(&config, config.body_time * 10);
        let mut at = Duration::ZERO;
        patience.received(first, at);
        while at < Duration::from_secs(120) {
            let left = patience.left(at);
            if left < Duration::from_secs(every) {
                return Some((at + left).as_secs());
            }
            at += Duration::from_secs(every);
            patience.received(bytes, at);
        }
        None
    }

    #[test]
    fn a_trickle_is_cut_off_within_ten_seconds_and_a_slow_line_is_not() {
        assert_eq!(cut_off(0, 1, 4), Some(8));
        assert_eq!(cut_off(0, 100, 1), Some(8));
        assert_eq!(cut_off(0, 8_000, 1), None);
        assert_eq!(cut_off(0, 8_000, 4), None, "2 kB a second, in bursts");
        assert_eq!(cut_off(0, 80_000, 11), Some(8), "nothing at first");
        assert_eq!(cut_off(ROSTER_LIMIT - 100, 1, 4), Some(8), "all but the last of it at once");
    }
}
