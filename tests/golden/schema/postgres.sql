CREATE TABLE "drugs" (
  "atccode" text NOT NULL,
  "drug" text NOT NULL,
  "substance" text NOT NULL,
  "synonyms" text[] NOT NULL,
  PRIMARY KEY ("atccode", "drug")
);
COMMENT ON TABLE "drugs" IS 'The drugs of the vocabulary that the mentions were found with, one row for each pair of a code and a name';
COMMENT ON COLUMN "drugs"."atccode" IS 'The code of the drug; where the source has none, a UUIDv5 of the name in lower case';
COMMENT ON COLUMN "drugs"."drug" IS 'The name of the drug in the vocabulary, cleaned';
COMMENT ON COLUMN "drugs"."substance" IS 'What several codes of one drug have in common: its folded name without qualifiers in brackets, salts and hydrates';
COMMENT ON COLUMN "drugs"."synonyms" IS 'Other names of the drug, cleaned, without duplicates';

CREATE TABLE "publications" (
  "publication_id" text NOT NULL,
  "title" text NOT NULL,
  "date" date,
  "date_precision" text,
  "journal" text,
  "journal_key" text,
  "flags" text[] NOT NULL,
  "status" text,
  "kind" text NOT NULL,
  "dt" text NOT NULL,
  PRIMARY KEY ("kind", "publication_id")
);
COMMENT ON TABLE "publications" IS 'The current state of every publication: the newest delivery of it, without held and deleted ones';
COMMENT ON COLUMN "publications"."publication_id" IS 'The PMID or NCT id, trimmed; where the source has none, a UUIDv5 of kind, title, date and journal';
COMMENT ON COLUMN "publications"."title" IS 'The title, cleaned';
COMMENT ON COLUMN "publications"."date" IS 'The first day of the period that the source names; null if it is missing, impossible or in no accepted form';
COMMENT ON COLUMN "publications"."date_precision" IS 'How exact the date is: day, month, season or year; null with the date';
COMMENT ON COLUMN "publications"."journal" IS 'The display name of the journal: its most frequent spelling in the lake';
COMMENT ON COLUMN "publications"."journal_key" IS 'The journal''s name with case, accents and punctuation folded, by which spellings are one journal';
COMMENT ON COLUMN "publications"."flags" IS 'What was repaired or is doubtful in the row';
COMMENT ON COLUMN "publications"."status" IS 'What notices make of it: retracted, retraction_notice, expression_of_concern or corrected; null for none';
COMMENT ON COLUMN "publications"."kind" IS 'The kind of publication: pubmed, clinical_trial or preprint';
COMMENT ON COLUMN "publications"."dt" IS 'The date of the delivery, which is the partition';

CREATE TABLE "mentions" (
  "atccode" text NOT NULL,
  "drug" text NOT NULL,
  "substance" text NOT NULL,
  "publication_id" text NOT NULL,
  "journal" text,
  "date" date,
  "field" text NOT NULL,
  "start" bigint NOT NULL,
  "end" bigint NOT NULL,
  "surface" text NOT NULL,
  "rule" text NOT NULL,
  "role" text,
  "status" text,
  "kind" text NOT NULL,
  "dt" text NOT NULL,
  PRIMARY KEY ("kind", "publication_id", "field", "start", "end", "atccode", "drug")
);
COMMENT ON TABLE "mentions" IS 'The places in the text of current publications that name a drug, one row for each place and code';
COMMENT ON COLUMN "mentions"."atccode" IS 'The code of the drug; where the source has none, a UUIDv5 of the name in lower case';
COMMENT ON COLUMN "mentions"."drug" IS 'The name of the drug in the vocabulary, cleaned';
COMMENT ON COLUMN "mentions"."substance" IS 'What several codes of one drug have in common: its folded name without qualifiers in brackets, salts and hydrates';
COMMENT ON COLUMN "mentions"."publication_id" IS 'The PMID or NCT id, trimmed; where the source has none, a UUIDv5 of kind, title, date and journal';
COMMENT ON COLUMN "mentions"."journal" IS 'The display name of the journal: its most frequent spelling in the lake';
COMMENT ON COLUMN "mentions"."date" IS 'The first day of the period that the source names; null if it is missing, impossible or in no accepted form';
COMMENT ON COLUMN "mentions"."field" IS 'The field of the publication that was searched: title, abstract, interventions or substances; names in a list are one text, with ` | ` between them';
COMMENT ON COLUMN "mentions"."start" IS 'Where the mention begins, in Unicode code points of the silver text of the field, from 0';
COMMENT ON COLUMN "mentions"."end" IS 'Where the mention ends, exclusive';
COMMENT ON COLUMN "mentions"."surface" IS 'The text of the mention: exactly text[start:end]';
COMMENT ON COLUMN "mentions"."rule" IS 'How the drug was found: name, synonym, abbreviation or combination';
COMMENT ON COLUMN "mentions"."role" IS 'What the intervention that names the drug is in its arms, the first that holds of experimental, active_comparator, placebo_comparator and other; null in other fields and where the source has no arms';
COMMENT ON COLUMN "mentions"."status" IS 'What notices make of it: retracted, retraction_notice, expression_of_concern or corrected; null for none';
COMMENT ON COLUMN "mentions"."kind" IS 'The kind of publication: pubmed, clinical_trial or preprint';
COMMENT ON COLUMN "mentions"."dt" IS 'The date of the delivery, which is the partition';

CREATE TABLE "journals" (
  "journal" text NOT NULL,
  "publications" bigint NOT NULL,
  "substances" bigint NOT NULL,
  "codes" bigint NOT NULL,
  PRIMARY KEY ("journal")
);
COMMENT ON TABLE "journals" IS 'The journals of current publications, one row for each display name';
COMMENT ON COLUMN "journals"."journal" IS 'The display name of the journal: its most frequent spelling in the lake';
COMMENT ON COLUMN "journals"."publications" IS 'How many current publications of all kinds the journal has';
COMMENT ON COLUMN "journals"."substances" IS 'How many different substances its publications mention';
COMMENT ON COLUMN "journals"."codes" IS 'How many different codes its publications mention';

CREATE TABLE "journal_drugs" (
  "journal" text NOT NULL,
  "substance" text NOT NULL,
  "kind" text NOT NULL,
  "pairs" bigint NOT NULL,
  PRIMARY KEY ("journal", "substance", "kind")
);
COMMENT ON TABLE "journal_drugs" IS 'Which journal mentions which substance, one row for each journal, substance and kind of publication';
COMMENT ON COLUMN "journal_drugs"."journal" IS 'The display name of the journal: its most frequent spelling in the lake';
COMMENT ON COLUMN "journal_drugs"."substance" IS 'What several codes of one drug have in common: its folded name without qualifiers in brackets, salts and hydrates';
COMMENT ON COLUMN "journal_drugs"."kind" IS 'The kind of publication: pubmed, clinical_trial or preprint';
COMMENT ON COLUMN "journal_drugs"."pairs" IS 'How many current publications of that kind in the journal mention the substance';

CREATE TABLE "atc_classes" (
  "atc_class" text NOT NULL,
  "level" bigint NOT NULL,
  "parent" text,
  "codes" bigint NOT NULL,
  PRIMARY KEY ("atc_class")
);
COMMENT ON TABLE "atc_classes" IS 'The classes of the ATC classification that codes of the vocabulary belong to, one row for each class';
COMMENT ON COLUMN "atc_classes"."atc_class" IS 'The code of the class: the first 1, 3, 4, 5 or 7 characters of a code';
COMMENT ON COLUMN "atc_classes"."level" IS 'The level of the class: 1 is the anatomical main group, 5 the substance';
COMMENT ON COLUMN "atc_classes"."parent" IS 'The class one level above; null at level 1';
COMMENT ON COLUMN "atc_classes"."codes" IS 'How many codes of the vocabulary belong to the class';

CREATE TABLE "rejected" (
  "reason" text NOT NULL,
  "message" text NOT NULL,
  "raw" text NOT NULL,
  "source_uri" text NOT NULL,
  "source_row" bigint NOT NULL,
  "kind" text,
  "dt" text NOT NULL
);
COMMENT ON TABLE "rejected" IS 'The rows of sources that cannot be a drug or a publication, with the reason';
COMMENT ON COLUMN "rejected"."reason" IS 'Why the row was rejected, as a word';
COMMENT ON COLUMN "rejected"."message" IS 'The place, what was found, and what to do';
COMMENT ON COLUMN "rejected"."raw" IS 'The row as in the source, at most its first 64 KiB';
COMMENT ON COLUMN "rejected"."source_uri" IS 'The file that delivered the row, as the caller named it';
COMMENT ON COLUMN "rejected"."source_row" IS 'The line of a CSV or NDJSON file (the header is line 1), or the element of a JSON array or record (from 1)';
COMMENT ON COLUMN "rejected"."kind" IS 'The kind of publication; null for rows of a vocabulary';
COMMENT ON COLUMN "rejected"."dt" IS 'The date of the delivery, which is the partition';

CREATE TABLE "publications_all" (
  "publication_id" text NOT NULL,
  "title" text NOT NULL,
  "abstract" text,
  "date" date,
  "date_precision" text,
  "journal" text,
  "journal_key" text,
  "doi" text,
  "pmcid" text,
  "version" bigint,
  "publication_types" text[] NOT NULL,
  "status" text,
  "mesh" text[] NOT NULL,
  "substances" jsonb NOT NULL,
  "trial_ids" text[] NOT NULL,
  "phase" text,
  "trial_status" text,
  "conditions" text[] NOT NULL,
  "interventions" jsonb NOT NULL,
  "flags" text[] NOT NULL,
  "source_uri" text NOT NULL,
  "source_row" bigint NOT NULL,
  "kind" text NOT NULL,
  "dt" text NOT NULL,
  PRIMARY KEY ("kind", "publication_id", "dt")
);
COMMENT ON TABLE "publications_all" IS 'Every publication of every delivery, one row for each publication and date';
COMMENT ON COLUMN "publications_all"."publication_id" IS 'The PMID or NCT id, trimmed; where the source has none, a UUIDv5 of kind, title, date and journal';
COMMENT ON COLUMN "publications_all"."title" IS 'The title, cleaned';
COMMENT ON COLUMN "publications_all"."abstract" IS 'The abstract or summary, cleaned';
COMMENT ON COLUMN "publications_all"."date" IS 'The first day of the period that the source names; null if it is missing, impossible or in no accepted form';
COMMENT ON COLUMN "publications_all"."date_precision" IS 'How exact the date is: day, month, season or year; null with the date';
COMMENT ON COLUMN "publications_all"."journal" IS 'The journal in this row''s own spelling, cleaned';
COMMENT ON COLUMN "publications_all"."journal_key" IS 'The journal''s name with case, accents and punctuation folded, by which spellings are one journal';
COMMENT ON COLUMN "publications_all"."doi" IS 'The digital object identifier, without a resolver before it';
COMMENT ON COLUMN "publications_all"."pmcid" IS 'The id of the full text in PubMed Central';
COMMENT ON COLUMN "publications_all"."version" IS 'The version that the source gives the record; null for a source without versions';
COMMENT ON COLUMN "publications_all"."publication_types" IS 'What PubMed says the article is, in its words';
COMMENT ON COLUMN "publications_all"."status" IS 'What notices make of it: retracted, retraction_notice, expression_of_concern or corrected; null for none';
COMMENT ON COLUMN "publications_all"."mesh" IS 'The ids of the descriptors of the article''s MeSH headings';
COMMENT ON COLUMN "publications_all"."substances" IS 'The substances that NLM''s indexers name (PubMed''s ChemicalList)';
COMMENT ON COLUMN "publications_all"."trial_ids" IS 'The NCT ids of trials that the article names in its list of data banks';
COMMENT ON COLUMN "publications_all"."phase" IS 'The phases of the trial: EARLY_PHASE1, PHASE1 to PHASE4, joined by /; NA where phases do not apply';
COMMENT ON COLUMN "publications_all"."trial_status" IS 'The overall status of the trial, as ClinicalTrials.gov''s API writes it';
COMMENT ON COLUMN "publications_all"."conditions" IS 'The diseases that the trial is about, cleaned';
COMMENT ON COLUMN "publications_all"."interventions" IS 'What the trial gives or does; exports have neither other names nor roles';
COMMENT ON COLUMN "publications_all"."flags" IS 'What was repaired or is doubtful in the row';
COMMENT ON COLUMN "publications_all"."source_uri" IS 'The file that delivered the row, as the caller named it';
COMMENT ON COLUMN "publications_all"."source_row" IS 'The line of a CSV or NDJSON file (the header is line 1), or the element of a JSON array or record (from 1)';
COMMENT ON COLUMN "publications_all"."kind" IS 'The kind of publication: pubmed, clinical_trial or preprint';
COMMENT ON COLUMN "publications_all"."dt" IS 'The date of the delivery, which is the partition';

CREATE TABLE "drugs_all" (
  "atccode" text NOT NULL,
  "drug" text NOT NULL,
  "synonyms" text[] NOT NULL,
  "flags" text[] NOT NULL,
  "source_uri" text NOT NULL,
  "source_row" bigint NOT NULL,
  "dt" text NOT NULL,
  PRIMARY KEY ("atccode", "drug", "dt")
);
COMMENT ON TABLE "drugs_all" IS 'The drugs of every delivery of a vocabulary, one row for each pair of a code and a name';
COMMENT ON COLUMN "drugs_all"."atccode" IS 'The code of the drug; where the source has none, a UUIDv5 of the name in lower case';
COMMENT ON COLUMN "drugs_all"."drug" IS 'The name of the drug in the vocabulary, cleaned';
COMMENT ON COLUMN "drugs_all"."synonyms" IS 'Other names of the drug, cleaned, without duplicates';
COMMENT ON COLUMN "drugs_all"."flags" IS 'What was repaired or is doubtful in the row';
COMMENT ON COLUMN "drugs_all"."source_uri" IS 'The file that delivered the row, as the caller named it';
COMMENT ON COLUMN "drugs_all"."source_row" IS 'The line of a CSV or NDJSON file (the header is line 1), or the element of a JSON array or record (from 1)';
COMMENT ON COLUMN "drugs_all"."dt" IS 'The date of the delivery, which is the partition';

CREATE TABLE "deleted" (
  "publication_id" text NOT NULL,
  "source_uri" text NOT NULL,
  "source_row" bigint NOT NULL,
  "kind" text NOT NULL,
  "dt" text NOT NULL
);
COMMENT ON TABLE "deleted" IS 'The notices that a publication is deleted';
COMMENT ON COLUMN "deleted"."publication_id" IS 'The PMID or NCT id, trimmed; where the source has none, a UUIDv5 of kind, title, date and journal';
COMMENT ON COLUMN "deleted"."source_uri" IS 'The file that delivered the row, as the caller named it';
COMMENT ON COLUMN "deleted"."source_row" IS 'The line of a CSV or NDJSON file (the header is line 1), or the element of a JSON array or record (from 1)';
COMMENT ON COLUMN "deleted"."kind" IS 'The kind of publication: pubmed, clinical_trial or preprint';
COMMENT ON COLUMN "deleted"."dt" IS 'The date of the delivery, which is the partition';

CREATE TABLE "journal_ids" (
  "journal_key" text NOT NULL,
  "nlm_id" text,
  "issn" text,
  "kind" text NOT NULL,
  "dt" text NOT NULL
);
COMMENT ON TABLE "journal_ids" IS 'The identifiers under which sources know a journal, one row for each set of them';
COMMENT ON COLUMN "journal_ids"."journal_key" IS 'The journal''s name with case, accents and punctuation folded, by which spellings are one journal';
COMMENT ON COLUMN "journal_ids"."nlm_id" IS 'The id in NLM''s catalogue';
COMMENT ON COLUMN "journal_ids"."issn" IS 'The linking ISSN, or else the first one; only with a correct check digit';
COMMENT ON COLUMN "journal_ids"."kind" IS 'The kind of publication: pubmed, clinical_trial or preprint';
COMMENT ON COLUMN "journal_ids"."dt" IS 'The date of the delivery, which is the partition';
