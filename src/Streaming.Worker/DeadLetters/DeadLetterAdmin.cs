using System.Globalization;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.DeadLetters;
using Streaming.Worker.Failures;

namespace Streaming.Worker.DeadLetters;

/// <summary>What a person may do with dead letters: list, look at one, send them back.</summary>
internal sealed class DeadLetterAdmin(KafkaOptions options, TextWriter output)
{
    /// <summary>Prints the counts by topic and reason, with an example each.</summary>
    public ExitCode List(DeadLetterRange range, CancellationToken cancellationToken)
    {
        using DeadLetterReader reader = new(options);
        Require(reader, range.Partition);
        var tally = new DeadLetterTally();
        foreach (StoredDeadLetter letter in reader.Read(range, cancellationToken))
        {
            tally.Add(letter);
        }

        output.WriteLine(Say($"{tally.Total} dead letters in {options.DeadLetterTopic}"));
        tally.Write(output);
        return ExitCode.Success;
    }

    /// <summary>Prints a dead letter.</summary>
    public ExitCode Show(int partition, long offset, int bytes, CancellationToken cancellationToken)
    {
        using DeadLetterReader reader = new(options);
        Require(reader, partition);
        var only = new DeadLetterRange(At(offset), At(offset + 1), partition);
        if (reader.Read(only, cancellationToken).FirstOrDefault() is not { } letter)
        {
            throw new ServerUnavailableException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{options.DeadLetterTopic}[{partition}] has no record at offset {offset}: it is not there yet, or retention has "
                        + $"deleted it"
                )
            );
        }

        DeadLetterText.Write(letter, bytes, output);
        return ExitCode.Success;
    }

    /// <summary>Sends records back to their topics.</summary>
    public ExitCode Replay(DeadLetterRange range, bool isDryRun, bool keepsTime, CancellationToken cancellationToken)
    {
        using DeadLetterReader reader = new(options);
        Require(reader, range.Partition);
        using DeadLetterReplay replay = new(options, keepsTime);
        var sent = new DeadLetterTally();
        var left = new SortedDictionary<string, long>(StringComparer.Ordinal);
        try
        {
            foreach (StoredDeadLetter letter in reader.Read(range, cancellationToken))
            {
                if (replay.Objection(letter) is { } objection)
                {
                    left[objection] = left.GetValueOrDefault(objection) + 1;
                    continue;
                }

                if (!isDryRun)
                {
                    replay.Send(letter, cancellationToken);
                }

                sent.Add(letter);
            }
        }
        finally
        {
            // Also when it was stopped: what has been sent is said.
            Finish(replay, sent, left, isDryRun);
        }

        replay.Flush();
        return ExitCode.Success;
    }

    private void Finish(DeadLetterReplay replay, DeadLetterTally sent, SortedDictionary<string, long> left, bool isDryRun)
    {
        try
        {
            replay.Flush();
        }
        catch (KafkaUnavailableException)
        {
            // Thrown again where it is said.
        }

        output.WriteLine(
            isDryRun
                ? Say($"{sent.Total} dead letters would be replayed")
                : Say($"{replay.Delivered} of {sent.Total} dead letters replayed")
        );
        sent.Write(output);
        foreach ((string objection, long count) in left)
        {
            output.WriteLine(Say($"{count} left out: {objection}"));
        }
    }

    private void Require(DeadLetterReader reader, int? partition)
    {
        if (partition is int number && (number < 0 || number >= reader.Partitions))
        {
            throw new SettingsException([
                Say($"The partition is {number}; allowed: 0 … {reader.Partitions - 1}, those of {options.DeadLetterTopic}."),
            ]);
        }
    }

    private static DeadLetterPoint At(long offset) =>
        DeadLetterPoint.TryParse(offset.ToString(CultureInfo.InvariantCulture), out DeadLetterPoint point)
            ? point
            : throw new ArgumentOutOfRangeException(nameof(offset), offset, "0 and up");

    private static string Say(FormattableString text) => FormattableString.Invariant(text);
}
