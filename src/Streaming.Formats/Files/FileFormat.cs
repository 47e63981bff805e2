namespace Streaming.Formats.Files;

/// <summary>The format of a file, by its first bytes.</summary>
internal enum FileFormat
{
    /// <summary>Delimited text.</summary>
    Text,

    /// <summary>JSON values.</summary>
    Json,

    /// <summary>Parquet.</summary>
    Parquet,

    /// <summary>An Avro container file.</summary>
    Avro,
}
