using Avro;
using Avro.File;
using Avro.Generic;
using Streaming.Formats.Mapping;
using Streaming.Formats.Records;

namespace Streaming.Formats.AvroFiles;

/// <summary>Records of an Avro container file.</summary>
internal sealed class AvroRecords : RecordReader
{
    private readonly IFileReader<GenericRecord> _file;
    private long _record;

    /// <summary>Opens a file.</summary>
    /// <param name="stream">The file, seekable; owned by this.</param>
    /// <param name="map">The mapping, or null.</param>
    /// <param name="others">Columns that are not in the file: those of its folders.</param>
    /// <exception cref="InvalidDataException">Not an Avro file of records, or a field of the mapping is missing.</exception>
    public AvroRecords(Stream stream, FieldMap? map, IReadOnlyCollection<string> others)
    {
        AvroCodecs.Register();
        _file = Guard(() => DataFileReader<GenericRecord>.OpenReader(stream, leaveOpen: false));
        if (_file.GetSchema() is not RecordSchema schema)
        {
            throw new InvalidDataException($"the Avro file contains values of type {_file.GetSchema().Name}; allowed: records");
        }

        Fields = [.. schema.Fields.Select(static field => field.Name)];
        foreach (FieldPath path in map?.Fields ?? [])
        {
            if (
                !others.Contains(path.Column)
                && !Array.Exists(Fields, path.Steps[0].IsNamed)
                && !Array.Exists(Fields, static name => name is "payload" or "after" or "data")
            )
            {
                throw new InvalidDataException($"there is no field '{path}'; the records have {string.Join(", ", Fields)}");
            }
        }
    }

    /// <summary>Gets the names of the top-level fields.</summary>
    public string[] Fields { get; }

    /// <inheritdoc/>
    public override string Position => $"record {_record}";

    /// <inheritdoc/>
    public override bool Read(RecordTree record)
    {
        record.Clear();
        if (!Guard(_file.HasNext))
        {
            return false;
        }

        _record++;
        AvroTree.Write(Guard(_file.Next), record);
        return true;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _file.Dispose();

    // A damaged file can make the library throw almost anything.
    private static T Guard<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception exception) when (exception is not (InvalidDataException or OutOfMemoryException))
        {
            throw new InvalidDataException($"the Avro file cannot be read: {exception.Message}", exception);
        }
    }
}
