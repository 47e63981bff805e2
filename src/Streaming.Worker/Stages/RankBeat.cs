using System.Globalization;

namespace Streaming.Worker.Stages;

/// <summary>What a rank tells of itself once a second.</summary>
/// <param name="Rank">Its number.</param>
/// <param name="Operations">How many collective operations it has begun.</param>
/// <param name="Beat">Changes each time.</param>
/// <param name="Process">Machine and process id.</param>
internal readonly record struct RankBeat(int Rank, long Operations, long Beat, string Process)
{
    /// <summary>Gets the rank for people.</summary>
    public string Name => $"rank {Rank} ({Process})";

    /// <summary>Gets the text that <see cref="Parse"/> reads.</summary>
    public string Text => string.Create(CultureInfo.InvariantCulture, $"{Operations} {Beat} {Process}");

    /// <summary>Reads what a rank has told.</summary>
    /// <exception cref="FormatException">The text is something else.</exception>
    public static RankBeat Parse(int rank, string text) =>
        text.Split(' ', 3) is [var operations, var beat, var process]
            ? new RankBeat(rank, Number(operations), Number(beat), process)
            : throw new FormatException($"'{text}' is not what a rank tells of itself.");

    private static long Number(string text) => long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
