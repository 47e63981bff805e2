using System.Globalization;
using Streaming.Encoders.Catalogues;

namespace Streaming.Worker.Encode;

/// <summary>Says how far an encoder is, and what became of the items.</summary>
/// <param name="writer">Receives the lines.</param>
/// <param name="time">Clock.</param>
internal sealed class EncodeProgress(TextWriter writer, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private readonly long _start = time.GetTimestamp();
    private long _last = time.GetTimestamp();

    /// <summary>Says how far it is, if nothing was said for some seconds.</summary>
    public void Report(EncodeCounts counts)
    {
        if (time.GetElapsedTime(_last) < Interval)
        {
            return;
        }

        _last = time.GetTimestamp();
        double rate = counts.Encoded / time.GetElapsedTime(_start).TotalSeconds;
        var left = TimeSpan.FromSeconds((counts.Items - counts.Encoded - counts.Unchanged) / rate);
        writer.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"encoded {counts.Encoded} of {counts.Items - counts.Unchanged} items, {rate:F1}/s, {left:d\\.hh\\:mm\\:ss} left"
                    + $"{(counts.BadPictures > 0 ? $"; {counts.BadPictures} pictures not used" : string.Empty)}"
            )
        );
    }

    /// <summary>Says how many records were delivered, if nothing was said for some seconds.</summary>
    public void Sent(long records)
    {
        if (time.GetElapsedTime(_last) >= Interval)
        {
            _last = time.GetTimestamp();
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"sent {records} records"));
        }
    }

    /// <summary>What became of the items, with everything that was left out.</summary>
    public static string Summary(string file, EncodeCounts counts)
    {
        string[] parts =
        [
            .. from part in ((long Count, string Text)[])
                [
                    (counts.Encoded, "encoded"),
                    (counts.Unchanged, "unchanged"),
                    (counts.Removed, "of the file no longer in the catalogue"),
                    (counts.WithoutText, "without text"),
                    (counts.WithoutPicture, "without a picture"),
                    (counts.BadPictures, "with a picture that cannot be used"),
                ]
            where part.Count > 0
            select string.Create(CultureInfo.InvariantCulture, $"{part.Count} {part.Text}"),
        ];
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{file}: {counts.Items} items: {string.Join(", ", parts)}; STREAMING__Model__FeatureGroups={counts.Groups}"
        );
    }
}
