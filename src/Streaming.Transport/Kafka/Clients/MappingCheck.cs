using System.Globalization;
using Streaming.Core.Options;
using Streaming.Formats.Mapping;

namespace Streaming.Transport.Kafka.Clients;

/// <summary>What is wrong with the mappings among the Kafka settings, and what they say.</summary>
internal static class MappingCheck
{
    /// <summary>The value of InteractionsColumns that means: by the names that records have.</summary>
    public const string Auto = "auto";

    /// <summary>Adds every error.</summary>
    public static void Verify(KafkaOptions options, OptionErrors errors)
    {
        Verify(nameof(options.InteractionsColumns), options.InteractionsColumns, options.InteractionsFormat, () => Events(options), errors);
        Verify(nameof(options.ItemsColumns), options.ItemsColumns, options.ItemsFormat, () => Items(options), errors);
        errors.Check(
            options.ItemsTopic.Length == 0 || options.ItemsFormat != RecordFormat.Registry || options.ItemsColumns.Length > 0,
            nameof(options.ItemsColumns),
            options.ItemsColumns,
            "a mapping such as item=sku,title=name, because the format is Registry"
        );
        errors.Check(
            Fault(() => DateTime.UnixEpoch.ToString(options.InteractionsTimeFormat, CultureInfo.InvariantCulture)) is null,
            nameof(options.InteractionsTimeFormat),
            options.InteractionsTimeFormat,
            "a format such as dd.MM.yyyy HH:mm:ss"
        );
        errors.Check(
            Fault(() => Times(options)) is null,
            nameof(options.InteractionsTimeZone),
            options.InteractionsTimeZone,
            "a name such as Europe/Berlin, or an offset such as +02:00"
        );
    }

    private static void Verify(string name, string columns, RecordFormat format, Action parse, OptionErrors errors)
    {
        if (columns.Length == 0)
        {
            return;
        }

        if (format == RecordFormat.Protobuf)
        {
            errors.Add(name, $"{OptionText.Show(columns)}, but the format is {format}", "a mapping with the formats Json and Registry");
        }

        if (Fault(parse) is { } fault)
        {
            errors.Add(name, OptionText.Show(columns), "a mapping. " + fault);
        }
    }

    /// <summary>The catalogue's mapping, or null: the contract's shape.</summary>
    public static ItemMap? Items(KafkaOptions options) => options.ItemsColumns.Length == 0 ? null : ItemMap.Parse(options.ItemsColumns);

    /// <summary>Whether events go through a mapping, rather than the contract's own decoder.</summary>
    public static bool AreEventsMapped(KafkaOptions options) =>
        options.InteractionsColumns.Length > 0 || options.InteractionsFormat == RecordFormat.Registry;

    /// <summary>Whether headers are to be read.</summary>
    public static bool NeedsHeaders(KafkaOptions options) =>
        (AreEventsMapped(options) && Events(options)?.HasHeaders == true) || Items(options)?.HasHeaders == true;

    /// <summary>The events' mapping, or null: by the names that records have.</summary>
    public static FieldMap? Events(KafkaOptions options) =>
        options.InteractionsColumns is "" or Auto ? null : FieldMap.Parse(options.InteractionsColumns);

    /// <summary>How times are read.</summary>
    public static TimeReader Times(KafkaOptions options) =>
        new(
            options.InteractionsTimeUnit,
            options.InteractionsTimeFormat.Length == 0 ? null : options.InteractionsTimeFormat,
            options.InteractionsTimeZone.Length == 0 ? null : TimeReader.FindZone(options.InteractionsTimeZone)
        );

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
