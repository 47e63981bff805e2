using Streaming.Formats.Inputs;

namespace Streaming.Formats.Files;

/// <summary>Counts the unreadable rows of a file, reports the first ones, and fails when there are too many.</summary>
internal sealed class BadRowTally(string path, Action<string> warn)
{
    private const int Told = 5;
    private const int Hopeless = 1000;

    private string? _first;

    /// <summary>Gets or sets the number of rows read.</summary>
    public long Rows { get; set; }

    /// <summary>Gets the number of bad ones.</summary>
    public long Bad { get; private set; }

    /// <summary>Counts a bad row.</summary>
    /// <param name="position">Its position.</param>
    /// <param name="problem">What is wrong with it.</param>
    /// <param name="rows">The number of rows it swallowed, including itself.</param>
    /// <exception cref="InputFileException">None of the first thousand rows is readable: reading on is pointless.</exception>
    public void Add(string position, string problem, long rows = 1)
    {
        string text = $"{path}, {position}: {problem}";
        _first ??= text;
        bool isFirst = Bad < Told;
        Rows += rows - 1;
        Bad += rows;
        if (isFirst)
        {
            warn(text);
        }

        if (Bad == Rows && Bad >= Hopeless)
        {
            throw new InputFileException($"{path}: none of the first {Rows} rows can be read; the first: {_first}");
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
