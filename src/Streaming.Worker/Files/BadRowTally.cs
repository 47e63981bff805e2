namespace Streaming.Worker;

/// <summary>Counts the unreadable rows of a file, tells of the first ones, and says when there are too many.</summary>
internal sealed class BadRowTally(string path, Action<string> warn)
{
    private const int Told = 5;

    private string? _first;

    /// <summary>Gets or sets the number of rows that were looked at.</summary>
    public long Rows { get; set; }

    /// <summary>Gets the number of bad ones.</summary>
    public long Bad { get; private set; }

    /// <summary>Counts a bad row.</summary>
    public void Add(long line, string problem)
    {
        string text = $"{path}, line {line}: {problem}";
        _first ??= text;
        Bad++;
        if (Bad <= Told)
        {
            warn(text);
        }
    }

    /// <exception cref="InputFileException">More than <paramref name="share"/> of the rows were bad, or all.</exception>
    public void ThrowIfTooMany(double share)
    {
        if (Bad > 0 && (Bad > Rows * share || Bad == Rows) && (Bad >= 10 || Bad == Rows))
        {
            throw new InputFileException($"{path}: {Bad} of {Rows} rows cannot be read, more than {share:P0}; the first: {_first}");
        }
    }
}
