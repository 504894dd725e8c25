//! Answers for equality monitoring in the database.

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::rules::{self, Reader};
use super::types::{
    ActivitiesReduced, EqualityAnswers, EqualityAnswersChange, Ethnicity, GenderSameAsRegistered, LongLastingCondition,
    Religion, Sex, SexualOrientation, UnpaidCarer,
};
use crate::clock::micros;
use crate::db::schema::equality_answers;
use crate::db::{Conn, Id, Timestamp};
use crate::error::Result;

/// A row of `equality_answers`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Serialize, Deserialize)]
#[diesel(table_name = equality_answers, primary_key(member_id), treat_none_as_null = true)]
pub struct AnswersRow {
    member_id: Id,
    ethnicity: Option<Ethnicity>,
    sex: Option<Sex>,
    gender_same_as_registered: Option<GenderSameAsRegistered>,
    sexual_orientation: Option<SexualOrientation>,
    religion: Option<Religion>,
    long_lasting_condition: Option<LongLastingCondition>,
    activities_reduced: Option<ActivitiesReduced>,
    unpaid_carer: Option<UnpaidCarer>,
    main_language: Option<String>,
    asked_on: NaiveDate,
    pub(in crate::members) version: i32,
    #[serde(with = "micros")]
    created_at: Timestamp,
    #[serde(with = "micros")]
    updated_at: Timestamp,
}

impl AnswersRow {
    /// The next version of a member's answers; the first if there are none before.
    pub fn next(
        member_id: Id,
        before: Option<&Self>,
        answers: EqualityAnswersChange,
        asked_on: NaiveDate,
        now: Timestamp,
    ) -> Self {
        Self {
            member_id,
            ethnicity: answers.ethnicity,
            sex: answers.sex,
            gender_same_as_registered: answers.gender_same_as_registered,
            sexual_orientation: answers.sexual_orientation,
            religion: answers.religion,
            long_lasting_condition: answers.long_lasting_condition,
            activities_reduced: answers.activities_reduced,
            unpaid_carer: answers.unpaid_carer,
            main_language: answers.main_language,
            asked_on,
            version: before.map_or(1, |before| before.version + 1),
            created_at: before.map_or(now, |before| before.created_at),
            updated_at: now,
        }
    }

    /// Whether any question has an answer. `prefer_not_to_say` is one. Otherwise all were taken back.
    pub fn says_something(&self) -> bool {
        self.answers() != EqualityAnswersChange::default()
    }

    /// The answers as a request would write them today.
    pub fn answers(&self) -> EqualityAnswersChange {
        EqualityAnswersChange {
            ethnicity: self.ethnicity,
            sex: self.sex,
            gender_same_as_registered: self.gender_same_as_registered,
            sexual_orientation: self.sexual_orientation,
            religion: self.religion,
            long_lasting_condition: self.long_lasting_condition,
            activities_reduced: self.activities_reduced,
            unpaid_carer: self.unpaid_carer,
            main_language: self.main_language.clone(),
        }
    }
}

impl EqualityAnswers {
    /// A member's answers as this reader sees them. Without a row nobody has asked.
    ///
    /// # Errors
    /// 500 if the answers can't be written as JSON.
    pub fn of(member_id: Id, row: Option<&AnswersRow>, reader: Reader) -> Result<Self> {
        let answers = row.map(AnswersRow::answers).unwrap_or_default();
        let answered = rules::answered(&answers, reader)?;
        let (answers, nhs_code) = match reader {
            Reader::Member => (answers.clone(), Some(rules::nhs_code(answers.ethnicity).to_owned())),
            Reader::Advisor => (EqualityAnswersChange::default(), None),
        };
        Ok(Self {
            member_id,
            answers,
            nhs_code,
            answered,
            asked_on: row.map(|row| row.asked_on),
            version: row.map_or(0, |row| row.version),
            created_at: row.map(|row| row.created_at),
            updated_at: row.map(|row| row.updated_at),
        })
    }
}

/// A member's answers; `None` if nobody has asked.
pub fn find(conn: &mut Conn, member_id: Id) -> Result<Option<AnswersRow>> {
    let row = equality_answers::table.find(member_id).select(AnswersRow::as_select());
    Ok(row.first(conn).optional()?)
}

/// Writes a member's answers over those before, if there were any. The member must be locked.
pub fn write(conn: &mut Conn, row: &AnswersRow) -> Result<()> {
    match row.version {
        1 => diesel::insert_into(equality_answers::table).values(row).execute(conn)?,
        _ => diesel::update(equality_answers::table.find(row.member_id)).set(row).execute(conn)?,
    };
    Ok(())
}
