using Streaming.Formats.AvroFiles;
using Streaming.Formats.Columnar;
using Streaming.Formats.Files;
using Streaming.Formats.Inputs;
using Streaming.Formats.Json;
using Streaming.Formats.Mapping;
using Streaming.Formats.Records;

namespace Streaming.Formats.Catalogues;

/// <summary>
/// Reads item files: delimited text with a header, or JSON, Parquet and Avro, whose records are those of
/// <c>schemas/item.schema.json</c> or flat. The format is detected from the first bytes.
/// </summary>
public static class CatalogueFile
{
    /// <summary>Reads the records of a file, one at a time. Those that a worker would refuse end it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tell">Receives a line for each field that is not used.</param>
    /// <param name="map">What the fields are called: only those that it names are read. Null: as above.</param>
    /// <exception cref="InputFileException">The file is missing or of an unknown format, or a record is not valid; the message names the
    /// file, the record, the field and what is allowed.</exception>
    public static IEnumerable<CatalogueItem> Read(string path, Action<string> tell, ItemMap? map = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        using IEnumerator<CatalogueItem> items = (map is null ? Open(path, tell) : MappedCatalogue.Read(path, tell, map)).GetEnumerator();
        while (true)
        {
            try
            {
                if (!items.MoveNext())
                {
                    yield break;
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                throw new InputFileException($"{path}: {exception.Message}", exception);
            }

            yield return items.Current;
        }
    }

    /// <summary>Whether a file is delimited text, which has no feature groups.</summary>
    /// <exception cref="InputFileException">The file is missing or of an unknown format.</exception>
    public static bool IsDelimited(string path)
    {
        using PeekStream file = InputFile.Open(path);
        try
        {
            return FileFormats.Detect(file.Head) == FileFormat.Text;
        }
        catch (InvalidDataException exception)
        {
            throw new InputFileException($"{path}: {exception.Message}", exception);
        }
    }

    private static IEnumerable<CatalogueItem> Open(string path, Action<string> tell)
    {
        using PeekStream file = InputFile.Open(path);
        FileFormat format = FileFormats.Detect(file.Head);
        if (format == FileFormat.Text)
        {
            foreach (CatalogueItem item in DelimitedCatalogue.Read(path, file))
            {
                yield return item;
            }

            yield break;
        }

        using RecordReader records = format switch
        {
            FileFormat.Parquet => new ParquetRecords(FileFormats.OpenSeekable(path), map: null, [], everything: true),
            FileFormat.Avro => new AvroRecords(FileFormats.OpenSeekable(path), map: null, []),
            _ => new JsonRecords(file),
        };
        var mapper = new CatalogueRecords(path, tell);
        var record = new RecordTree();
        while (records.Read(record))
        {
            yield return mapper.Map(record, records);
        }
    }
}
