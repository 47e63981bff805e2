using System.Text;
using Streaming.Core.Events;
using Streaming.Formats.AvroFiles;
using Streaming.Formats.Columnar;
using Streaming.Formats.Delimited;
using Streaming.Formats.Inputs;
using Streaming.Formats.Json;
using Streaming.Formats.Mapping;
using Streaming.Formats.Records;

namespace Streaming.Formats.Files;

/// <summary>Reads event files: JSON, delimited text, Parquet, Avro. The format is detected from the first bytes.</summary>
public sealed class EventFileReader
{
    /// <summary>The share of unreadable rows above which a file is rejected: it is probably of another format.</summary>
    public const double LargestBadShare = 0.05;

    private readonly EventLog _log;
    private readonly EventFileOptions _options;
    private readonly Action<string> _warn;
    private readonly RecordTree _record = new();

    private EventFileReader(EventLog log, EventFileOptions options, Action<string> warn)
    {
        _log = log;
        _options = options;
        _warn = warn;
    }

    /// <summary>Reads files, and folders of files, into one log and sorts it by time.</summary>
    /// <param name="paths">Files and folders.</param>
    /// <param name="options">How they are interpreted.</param>
    /// <param name="warn">Receives a message for each of the first unreadable rows of a file.</param>
    /// <exception cref="InputFileException">A file is missing, of unknown format, or mostly unreadable, or there are no events.</exception>
    public static EventLog ReadAll(IEnumerable<string> paths, EventFileOptions options, Action<string> warn)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentNullException.ThrowIfNull(options);
        CheckSources(options.Columns);
        var log = new EventLog();
        var reader = new EventFileReader(log, options, warn);
        string[] all = [.. paths];
        foreach (InputFilePart part in all.SelectMany(InputFiles.Find))
        {
            reader.Read(part);
        }

        log.SortByTime();
        return log.Count > 0
            ? log
            : throw new InputFileException(
                $"{string.Join(", ", all)}: no events "
                    + $"({(log.Dropped > 0 ? $"{log.Dropped} rows were dropped by the rules of their format" : "there are no rows")})."
            );
    }

    // A file's rows have no key, headers or record timestamp.
    private static void CheckSources(FieldMap? map)
    {
        foreach (FieldRole role in FieldMap.Roles)
        {
            if (map?[role] is { Source: FieldSource.Key or FieldSource.Header or FieldSource.Timestamp } path)
            {
                throw new InputFileException(
                    $"--columns: {FieldMap.Name(role)}={path} is for topics; a file has no keys, headers or record times."
                );
            }
        }

        if (map is not null && map[FieldRole.Time] is null)
        {
            throw new InputFileException($"--columns: '{map.Written}' lacks the time; add time=….");
        }
    }

    private void Read(InputFilePart part)
    {
        try
        {
            using PeekStream file = InputFile.Open(part.Path);
            var tally = new BadRowTally(part.Path, _warn);
            Read(file, part, tally);
            _log.Bad += tally.Bad;
            tally.ThrowIfTooMany(LargestBadShare);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new InputFileException($"{part.Path}: {exception.Message}", exception);
        }
    }

    private void Read(PeekStream file, InputFilePart part, BadRowTally tally)
    {
        FieldMap? map = _options.Columns;
        string[] folders = [.. part.Partitions.Select(static pair => pair.Key)];
        FileFormat format = FileFormats.Detect(file.Head);
        if (format is FileFormat.Parquet or FileFormat.Avro)
        {
            bool isParquet = format == FileFormat.Parquet;
            Stream whole = FileFormats.OpenSeekable(part.Path);
            using RecordReader rows = isParquet ? new ParquetRecords(whole, map, folders) : new AvroRecords(whole, map, folders);
            CheckNames(rows is ParquetRecords parquet ? parquet.Columns : ((AvroRecords)rows).Fields, folders, isFlat: isParquet);
            Add(rows, map, part, tally);
        }
        else if (format == FileFormat.Json)
        {
            using var values = new JsonRecords(file);
            Add(values, map, part, tally);
        }
        else
        {
            ReadText(file, part, folders, tally);
        }
    }

    private void ReadText(PeekStream file, InputFilePart part, string[] folders, BadRowTally tally)
    {
        FieldMap? flat = _options.Columns?.Flat();
        Dialect dialect = DialectDetector.Detect(file.Head, flat?.Fields, _options.Separator, _options.Quote);
        using var rows = new DelimitedRecords(new DelimitedReader(file, dialect), flat?.Fields);
        rows.ReadHeader(flat?.Fields, folders);
        if (flat is null && OnlineRetail.IsHeader(rows.Header))
        {
            AddRetail(rows, tally);
            return;
        }

        CheckNames(rows.Header, folders, isFlat: true);
        Add(rows, flat, part, tally);
    }

    /// <summary>Without a mapping, a table must have the columns that every event needs.</summary>
    private void CheckNames(string[] names, string[] folders, bool isFlat)
    {
        if (_options.Columns is not null || !isFlat)
        {
            return;
        }

        FieldRole[] known =
        [
            .. names
                .Concat(folders)
                .Select(static name =>
                    KnownNames.TryFind(Encoding.UTF8.GetBytes(name), out FieldRole role, out _) ? role : (FieldRole)(-1)
                ),
        ];
        FieldRole[] missing = [.. ((FieldRole[])[FieldRole.User, FieldRole.Item, FieldRole.Time]).Except(known)];
        if (missing.Length > 0)
        {
            throw new InvalidDataException(
                $"unknown format: no column is recognised as {string.Join(" or ", missing.Select(FieldMap.Name))}; the columns are "
                    + $"{string.Join(", ", names.Take(30))}. Map them with --columns, for example user={names[0]},item=…,time=… "
                    + "(without a header by number: user=0,item=1,time=2)."
            );
        }
    }

    private void AddRetail(DelimitedRecords rows, BadRowTally tally)
    {
        var retail = new OnlineRetail();
        while (rows.Read(_record))
        {
            tally.Rows++;
            if ((rows.Problem ?? retail.Add(_log, rows.Row)) is { } problem)
            {
                tally.Add(rows.Position, problem, rows.Swallowed);
            }
        }
    }

    private void Add(RecordReader rows, FieldMap? map, InputFilePart part, BadRowTally tally)
    {
        var mapper = new EventMapper(map, _options.Times);
        while (rows.Read(_record))
        {
            tally.Rows++;
            if (rows.Problem is { } problem)
            {
                tally.Add(rows.Position, problem, rows.Swallowed);
                continue;
            }

            Add(mapper, rows, part, tally);
        }

        if (
            tally.Rows > tally.Bad
            && mapper.Unseen.Where(static role => role is not FieldRole.Title).ToArray() is { Length: > 0 } unseen
            && _log.Count > 0
        )
        {
            FieldRole role = unseen[0];
            throw new InvalidDataException($"--columns: {FieldMap.Name(role)}={map![role]} occurs in none of the {tally.Rows} records");
        }
    }

    private void Add(EventMapper mapper, RecordReader rows, InputFilePart part, BadRowTally tally)
    {
        AddPartitions(part);
        DeadLetterReason reason = mapper.Map(_record, null);
        if (reason != DeadLetterReason.None)
        {
            tally.Add(rows.Position, mapper.Explain(reason));
            return;
        }

        _log.Dropped += mapper.Count == 0 ? 1 : 0;
        for (int i = 0; i < mapper.Count; i++)
        {
            InteractionEvent added = mapper[i];
            _log.Add(added);
            _log.SetTitle(added.ItemId, mapper.Title(i));
        }
    }

    private void AddPartitions(InputFilePart part)
    {
        foreach ((string name, string value) in part.Partitions)
        {
            _record.AddToRoot(_record.Append(name), _record.Append(value));
        }
    }
}
