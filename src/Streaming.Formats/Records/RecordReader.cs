namespace Streaming.Formats.Records;

/// <summary>Reads the records of a file.</summary>
public abstract class RecordReader : IDisposable
{
    /// <summary>Gets the position of the current record: "line 3", "row 17".</summary>
    public abstract string Position { get; }

    /// <summary>Gets what is wrong with the current record, or null; an unreadable record has no values.</summary>
    public string? Problem { get; protected set; }

    /// <summary>Gets the number of records that the current one comprises: an unclosed quote swallows others.</summary>
    public long Swallowed { get; protected set; } = 1;

    /// <summary>Reads the next record.</summary>
    /// <param name="record">Receives its values.</param>
    /// <returns>False at the end.</returns>
    /// <exception cref="InvalidDataException">The rest of the file cannot be read.</exception>
    public abstract bool Read(RecordTree record);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the file.</summary>
    /// <param name="disposing">True when called by <see cref="Dispose()"/>.</param>
    protected abstract void Dispose(bool disposing);
}
