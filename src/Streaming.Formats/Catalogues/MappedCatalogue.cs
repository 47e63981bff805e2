using Streaming.Formats.AvroFiles;
using Streaming.Formats.Columnar;
using Streaming.Formats.Delimited;
using Streaming.Formats.Files;
using Streaming.Formats.Inputs;
using Streaming.Formats.Json;
using Streaming.Formats.Mapping;
using Streaming.Formats.Records;

namespace Streaming.Formats.Catalogues;

/// <summary>Item files of any format whose fields a mapping names.</summary>
internal static class MappedCatalogue
{
    /// <summary>Reads the records.</summary>
    /// <exception cref="InvalidDataException">A column of the mapping is not in the file: names both.</exception>
    /// <exception cref="InputFileException">A record is not valid.</exception>
    public static IEnumerable<CatalogueItem> Read(string path, Action<string> tell, ItemMap map)
    {
        using PeekStream file = InputFile.Open(path);
        FileFormat format = FileFormats.Detect(file.Head);
        map = format == FileFormat.Text ? map.Flat() : map;
        using RecordReader records = Open(path, file, format, map);
        var mapper = new CatalogueRecords(path, tell);
        var fields = new ItemMapper(map);
        HashSet<string> missing = [.. map.Fields.Select(static field => field.Key)];
        bool isEmpty = true;
        var record = new RecordTree();
        while (records.Read(record))
        {
            isEmpty = false;
            CatalogueItem item = mapper.Map(record, records, fields, map);
            missing.ExceptWith(item.Text.Keys);
            missing.ExceptWith(item.Features.Keys);
            missing.ExceptWith(item.Attributes is null ? [] : ["attributes"]);
            yield return item;
        }

        // Columns have names whether they have values or not, records have not: there it may be misspelled.
        if (!isEmpty && missing.Count > 0)
        {
            tell($"{path}: no record has a value of {string.Join(", ", missing.Order(StringComparer.Ordinal))}, as mapped");
        }
    }

    private static RecordReader Open(string path, PeekStream file, FileFormat format, ItemMap map)
    {
        switch (format)
        {
            case FileFormat.Text:
                var rows = new DelimitedRecords(
                    new DelimitedReader(file, DialectDetector.Detect(file.Head, map.Paths, separator: null, quote: null)),
                    map.Paths
                );
                rows.ReadHeader(map.Paths, []);
                return rows;
            case FileFormat.Parquet:
                var parquet = new ParquetRecords(FileFormats.OpenSeekable(path), map: null, [], everything: true);
                Require(map, parquet.Columns);
                return parquet;
            case FileFormat.Avro:
                var avro = new AvroRecords(FileFormats.OpenSeekable(path), map: null, []);
                Require(map, avro.Fields);
                return avro;
            default:
                return new JsonRecords(file);
        }
    }

    private static void Require(ItemMap map, string[] columns)
    {
        if (map.Paths.FirstOrDefault(path => !Array.Exists(columns, path.Steps[0].IsNamed)) is { } missing)
        {
            throw new InvalidDataException($"there is no column '{missing}'; the file has {string.Join(", ", columns)}");
        }
    }
}
