using Streaming.Encoders.Pictures;
using Streaming.Encoders.Texts;
using Streaming.Formats.Mapping;

namespace Streaming.Encoders.Catalogues;

/// <summary>What of a catalogue is encoded, and how.</summary>
public sealed record EncodeOptions
{
    /// <summary>Gets the item files, read as one: an item's last record counts.</summary>
    public required IReadOnlyList<string> Items { get; init; }

    /// <summary>Gets what the files call their fields; null: as they are known without.</summary>
    public ItemMap? ItemColumns { get; init; }

    /// <summary>Gets the file to write, or to continue.</summary>
    public required string Output { get; init; }

    /// <summary>Gets the encoder of text; null: none.</summary>
    public TextEncoderOptions? Text { get; init; }

    /// <summary>Gets the text fields, which are joined by spaces.</summary>
    public IReadOnlyList<string> TextFields { get; init; } = [];

    /// <summary>Gets the name of the feature group of text.</summary>
    public string TextGroup { get; init; } = "text";

    /// <summary>Gets the encoder of pictures; null: none.</summary>
    public PictureEncoderOptions? Picture { get; init; }

    /// <summary>Gets the field with the path of an item's picture.</summary>
    public string PictureField { get; init; } = "image";

    /// <summary>Gets the folder of the pictures.</summary>
    public string PictureFolder { get; init; } = ".";

    /// <summary>Gets the name of the feature group of pictures.</summary>
    public string PictureGroup { get; init; } = "image";

    /// <summary>Gets the number of items that are encoded at once.</summary>
    public int Batch { get; init; } = 32;

    /// <summary>Gets the number of threads.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
}
