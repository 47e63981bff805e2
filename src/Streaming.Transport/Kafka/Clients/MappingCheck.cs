using System.Globalization;
using Streaming.Formats.Mapping;

namespace Streaming.Transport.Kafka.Clients;

/// <summary>What is wrong with the mappings among the Kafka settings, and what they say.</summary>
internal static class MappingCheck
{
    /// <summary>The value of InteractionsColumns that means: by the names that records have.</summary>
    public const string Auto = "auto";

    /// <summary>Every error, in one line each.</summary>
    public static IEnumerable<string> Errors(KafkaOptions options)
    {
        foreach ((string name, string columns, RecordFormat format, Action parse) in ((string, string, RecordFormat, Action)[])
        [
            (nameof(options.InteractionsColumns), options.InteractionsColumns, options.InteractionsFormat, () => Events(options)),
            (nameof(options.ItemsColumns), options.ItemsColumns, options.ItemsFormat, () => Items(options)),
        ])
        {
            if (columns.Length == 0)
            {
                continue;
            }

            if (format == RecordFormat.Protobuf)
            {
                yield return $"Kafka:{name} is '{columns}', but the format is {format}; allowed: a mapping with the formats Json and Registry.";
            }

            if (Fault(parse) is { } fault)
            {
                yield return $"Kafka:{name}: {fault}";
            }
        }

        if (options.ItemsTopic.Length > 0 && options.ItemsFormat == RecordFormat.Registry && options.ItemsColumns.Length == 0)
        {
            yield return $"Kafka:{nameof(options.ItemsColumns)} is ''; allowed: a mapping such as item=sku,title=name, because the format is Registry.";
        }

        if (Fault(() => DateTime.UnixEpoch.ToString(options.InteractionsTimeFormat, CultureInfo.InvariantCulture)) is not null)
        {
            yield return $"Kafka:{nameof(options.InteractionsTimeFormat)} is '{options.InteractionsTimeFormat}'; allowed: a format such as dd.MM.yyyy HH:mm:ss.";
        }

        if (Fault(() => Times(options)) is { } zone)
        {
            yield return $"Kafka:{nameof(options.InteractionsTimeZone)}: {zone}";
        }
    }

    /// <summary>The catalogue's mapping, or null: the contract's shape.</summary>
    public static ItemMap? Items(KafkaOptions options) => options.ItemsColumns.Length == 0 ? null : ItemMap.Parse(options.ItemsColumns);

    /// <summary>Whether events go through a mapping, rather than the contract's own decoder.</summary>
    public static bool AreEventsMapped(KafkaOptions options) => options.InteractionsColumns.Length > 0 || options.InteractionsFormat == RecordFormat.Registry;

    /// <summary>Whether headers are to be read.</summary>
    public static bool NeedsHeaders(KafkaOptions options) => (AreEventsMapped(options) && Events(options)?.HasHeaders == true) || Items(options)?.HasHeaders == true;

    /// <summary>The events' mapping, or null: by the names that records have.</summary>
    public static FieldMap? Events(KafkaOptions options) => options.InteractionsColumns is "" or Auto ? null : FieldMap.Parse(options.InteractionsColumns);

    /// <summary>How times are read.</summary>
    public static TimeReader Times(KafkaOptions options) => new(
        options.InteractionsTimeUnit,
        options.InteractionsTimeFormat.Length == 0 ? null : options.InteractionsTimeFormat,
        options.InteractionsTimeZone.Length == 0 ? null : TimeReader.FindZone(options.InteractionsTimeZone));

    private static string? Fault(Action parse)
    {
        try
        {
            parse();
            return null;
        }
        catch (Exception exception) when (exception is FieldMapException or FormatException)
        {
            return exception.Message;
        }
    }
}
