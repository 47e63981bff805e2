namespace Streaming.Formats.Records;

/// <summary>The records of a file, one after another.</summary>
public abstract class RecordReader : IDisposable
{
    /// <summary>Gets where the current record is: "line 3", "row 17".</summary>
    public abstract string Position { get; }

    /// <summary>Gets what is wrong with the current record, or null; one that cannot be read has no values.</summary>
    public string? Problem { get; protected set; }

    /// <summary>Gets how many records the current one stands for: a quote that is not closed swallows others.</summary>
    public long Swallowed { get; protected set; } = 1;

    /// <summary>Reads the next record.</summary>
    /// <param name="record">Where its values go.</param>
    /// <returns>False at the end.</returns>
    /// <exception cref="InvalidDataException">What follows cannot be read.</exception>
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
