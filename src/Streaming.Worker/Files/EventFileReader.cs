using System.Globalization;
using System.Text.Json;

namespace Streaming.Worker;

/// <summary>Reads event files of the formats of <see cref="EventFormat"/>; the format is told by the first line.</summary>
internal sealed class EventFileReader
{
    /// <summary>How many unreadable rows a file may have, as a share, before it is refused: such a file is another format.</summary>
    public const double LargestBadShare = 0.05;

    private readonly EventLog _log;
    private readonly Action<string> _warn;

    /// <summary>Creates a reader.</summary>
    /// <param name="log">Where the events go.</param>
    /// <param name="warn">Gets a line for each of the first bad rows of a file.</param>
    public EventFileReader(EventLog log, Action<string> warn)
    {
        _log = log;
        _warn = warn;
    }

    /// <summary>Reads files into one log and sorts it by time.</summary>
    /// <exception cref="InputFileException">A file is missing, empty, of no known format, or mostly unreadable.</exception>
    public static EventLog ReadAll(IEnumerable<string> paths, Action<string> warn)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var log = new EventLog();
        var reader = new EventFileReader(log, warn);
        foreach (string path in paths)
        {
            reader.Read(path);
        }

        log.SortByTime();
        return log;
    }

    /// <summary>Reads one file.</summary>
    public void Read(string path)
    {
        try
        {
            using StreamReader text = InputFile.OpenText(path);
            EventFormat format = Detect(path);
            var tally = new BadRowTally(path, _warn);
            if (format == EventFormat.JsonLines)
            {
                ReadJsonLines(text, tally);
            }
            else
            {
                ReadCsv(text, format, tally);
            }

            _log.Bad += tally.Bad;
            tally.ThrowIfTooMany(LargestBadShare);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new InputFileException($"{path}: {exception.Message}", exception);
        }
    }

    /// <summary>Tells the format of a file by its first line.</summary>
    /// <exception cref="InputFileException">It is none that we know.</exception>
    public static EventFormat Detect(string path)
    {
        using StreamReader text = InputFile.OpenText(path);
        string first = text.ReadLine() ?? throw new InputFileException($"{path}: the file is empty");
        if (first.TrimStart().StartsWith('{'))
        {
            return EventFormat.JsonLines;
        }

        string[] names = [.. first.Split(',').Select(name => name.Trim('"', ' ').ToUpperInvariant())];
        return names switch
        {
            ["INVOICENO", "STOCKCODE", "DESCRIPTION", "QUANTITY", "INVOICEDATE", "UNITPRICE", "CUSTOMERID", ..] => EventFormat.OnlineRetail,
            ["USERID", "MOVIEID" or "ID" or "ITEMID", "RATING", "TIMESTAMP", ..] => EventFormat.MovieLens,
            ["USER" or "USERID" or "USER_ID", "ITEM" or "ITEMID" or "ITEM_ID", "TIMESTAMP" or "TIME", ..] => EventFormat.Columns,
            _ => throw new InputFileException(
                $"{path}, line 1: no known format. Expected JSON lines, or a header that begins with user,item,timestamp or userId,movieId,rating,timestamp or InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID."),
        };
    }

    private void ReadCsv(StreamReader text, EventFormat format, BadRowTally tally)
    {
        using var csv = new CsvReader(text);
        csv.Read();
        while (csv.Read())
        {
            tally.Rows++;
            string? problem = format switch
            {
                EventFormat.OnlineRetail => OnlineRetail.Add(_log, csv),
                EventFormat.MovieLens => AddColumns(csv, timeField: 3, RatingType(csv)),
                _ => AddColumns(csv, timeField: 2, "view"),
            };
            if (problem is not null)
            {
                tally.Add(csv.Line, problem);
            }
        }
    }

    private static string RatingType(CsvReader csv) =>
        float.TryParse(csv[2], NumberStyles.Float, CultureInfo.InvariantCulture, out float rating) && rating >= 4 ? "click" : "view";

    private string? AddColumns(CsvReader csv, int timeField, string type)
    {
        if (csv.Count <= timeField)
        {
            return $"{csv.Count} fields, at least {timeField + 1} expected";
        }

        if (csv[0].IsEmpty || csv[1].IsEmpty)
        {
            return "user or item is empty";
        }

        if (!UnixTime.TryParse(csv[timeField], out long time))
        {
            return $"\"{csv[timeField]}\" is no time (seconds or milliseconds since 1970)";
        }

        _log.Add(csv[0], csv[1], time, type);
        return null;
    }

    private void ReadJsonLines(StreamReader text, BadRowTally tally)
    {
        for (long line = 1; text.ReadLine() is { } row; line++)
        {
            if (string.IsNullOrWhiteSpace(row))
            {
                continue;
            }

            tally.Rows++;
            try
            {
                if (AddJson(row) is { } problem)
                {
                    tally.Add(line, problem);
                }
            }
            catch (JsonException exception)
            {
                tally.Add(line, exception.Message);
            }
        }
    }

    private string? AddJson(string row)
    {
        using JsonDocument document = JsonDocument.Parse(row);
        JsonElement root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
        {
            return "no JSON object";
        }

        string? user = Text(root, "user_id") ?? Text(root, "userId");
        string? item = Text(root, "item_id") ?? Text(root, "itemId");
        if (string.IsNullOrEmpty(user) || string.IsNullOrEmpty(item))
        {
            return "user_id or item_id is missing";
        }

        string? time = Text(root, "event_time_ms") ?? Text(root, "eventTime") ?? Text(root, "timestamp");
        if (time is null || !UnixTime.TryParse(time, out long milliseconds))
        {
            return "event_time_ms is missing or no time";
        }

        _log.Add(user, item, milliseconds, Text(root, "type") ?? "view", Text(root, "event_id") ?? Text(root, "eventId"));
        _log.SetTitle(item, Text(root, "title"));
        return null;
    }

    private static string? Text(JsonElement root, string name) =>
        !root.TryGetProperty(name, out JsonElement value) ? null
        : value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number => value.GetRawText(),
            _ => null,
        };
}
