using System.CommandLine;
using Streaming.Formats.Files;
using Streaming.Formats.Mapping;

namespace Streaming.Lab.Files;

/// <summary>Command-line options for the format of event files.</summary>
internal sealed class FileArguments
{
    /// <summary>Formats of --events, for its help.</summary>
    public const string Formats =
        "JSON lines or arrays, CSV and other delimited text, Parquet, Avro; gzip or zstd; a folder (optionally hive-partitioned) is "
        + "read as one log.";

    private readonly Option<string?> _columns = new("--columns")
    {
        Description =
            "Field mapping, for files with other field names: user=after.user.id,item=lines[].sku,type=:purchase,time=ts (by number "
            + "without a header: user=0,item=1,time=3).",
        HelpName = "NAME=PATH,…",
    };

    private readonly Option<string?> _timeUnit = new Option<string?>("--time-unit")
    {
        Description = "Unit of numeric times since 1970. Default: the unit that gives a time between 1990 and 2100.",
    }.AcceptOnlyFromAmong("s", "ms", "us", "ns");

    private readonly Option<string?> _timeFormat = new("--time-format")
    {
        Description = "Format of times that are not ISO 8601, such as \"dd.MM.yyyy HH:mm:ss\".",
        HelpName = "FORMAT",
    };

    private readonly Option<string?> _timeZone = new("--time-zone")
    {
        Description = "Time zone of times without one, such as Europe/Berlin or +02:00. Default: UTC.",
        HelpName = "ZONE",
    };

    private readonly Option<string?> _separator = new("--separator")
    {
        Description = "Separator of delimited text, 1 to 8 characters; tab for a tab. Default: detected from the first lines.",
        HelpName = "TEXT",
    };

    private readonly Option<string?> _quote = new("--quote")
    {
        Description = "Quote character of delimited text, or none. Default: \", but none in a tab-separated file without a header.",
        HelpName = "CHARACTER",
    };

    /// <summary>Creates the options with their checks.</summary>
    public FileArguments()
    {
        Check(_columns, static text => FieldMap.Parse(text));
        Check(_timeZone, static text => TimeReader.FindZone(text));
        Check(_timeFormat, static text => DateTime.UnixEpoch.ToString(text, System.Globalization.CultureInfo.InvariantCulture));
        Check(
            _separator,
            static text =>
                Separator(text) is { Length: > 0 and <= 8 } given && given.All(char.IsAscii) && !given.AsSpan().ContainsAny("\"\r\n")
                    ? given
                    : throw new FormatException("allowed: 1 to 8 ASCII characters, but no quotes or line ends.")
        );
        Check(
            _quote,
            static text =>
                text is "none" or ['!' or '"' or '\'' or '`' or '|' or '^' or '~']
                    ? text
                    : throw new FormatException("allowed: none, or one of \" ' ` | ^ ~ !")
        );
    }

    /// <summary>Gets the options, for adding to a command.</summary>
    public IReadOnlyList<Option> All => [_columns, _timeUnit, _timeFormat, _timeZone, _separator, _quote];

    /// <summary>Reads the parsed values.</summary>
    public EventFileOptions Read(ParseResult result) =>
        new()
        {
            Columns = result.GetValue(_columns) is { } columns ? FieldMap.Parse(columns) : null,
            Times = new TimeReader(
                result.GetValue(_timeUnit) is { } unit ? Enum.Parse<TimeUnit>(unit, ignoreCase: true) : TimeUnit.Auto,
                result.GetValue(_timeFormat),
                result.GetValue(_timeZone) is { } zone ? TimeReader.FindZone(zone) : null
            ),
            Separator = result.GetValue(_separator) is { } separator ? Separator(separator) : null,
            Quote = result.GetValue(_quote),
        };

    private static string Separator(string text) => text is "tab" or "\\t" ? "\t" : text;

    private static void Check(Option<string?> option, Func<string, object> parse) =>
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is not { } text)
            {
                return;
            }

            try
            {
                parse(text);
            }
            catch (Exception exception) when (exception is FieldMapException or FormatException)
            {
                result.AddError($"{option.Name}: {exception.Message}");
            }
        });
}
