using System.Globalization;
using StackExchange.Redis;
using Streaming.Core.Generations;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Generations;
using Streaming.Worker.Failures;
using Streaming.Worker.Settings;

namespace Streaming.Worker.Generations;

/// <summary>Manual operations on generations; counts their items in the store.</summary>
internal sealed class GenerationAdmin
{
    private readonly GenerationSwitch _switch;
    private readonly GenerationPublisher _records;
    private readonly GenerationOptions _options;

    /// <summary>Creates the operations.</summary>
    public GenerationAdmin(IDatabase redis, RedisOptions options, IReadOnlyList<int> widths, GenerationOptions checks)
    {
        _switch = new GenerationSwitch(redis, options, widths, TimeProvider.System);
        _records = new GenerationPublisher(redis, options, TimeProvider.System);
        _options = checks;
    }

    /// <summary>Prints a line for each generation, from the first to the one after the active one.</summary>
    public async Task<ExitCode> ShowAsync(TextWriter output)
    {
        uint active = await _switch.ActiveAsync().ConfigureAwait(false);
        await output
            .WriteLineAsync(active == 0 ? "no generation is active" : Say($"readers use generation {active}"))
            .ConfigureAwait(false);
        for (uint generation = 1; generation <= active + 1; generation++)
        {
            int items = (await _switch.ListAsync(generation).ConfigureAwait(false)).Count;
            GenerationRecord? record = await _records.ReadAsync(generation).ConfigureAwait(false);
            if (items > 0 || record is not null)
            {
                string said = record is null
                    ? "no record"
                    : string.Create(
                        CultureInfo.InvariantCulture,
                        $"{record.Tower} {string.Join(',', record.Widths)}, step {record.Step}, Recall@20 {record.Recall:F4} over "
                            + $"{record.Examples} events, written {DateTimeOffset.FromUnixTimeMilliseconds(record.Written):u}"
                    );
                await output.WriteLineAsync(Say($"generation {generation}: {items} items in the store; {said}")).ConfigureAwait(false);
            }
        }

        return ExitCode.Success;
    }

    /// <summary>Switches readers if the checks pass or <paramref name="force"/> is set.</summary>
    public async Task<ExitCode> SwitchAsync(uint next, bool force, TextWriter output)
    {
        uint active = await _switch.ActiveAsync().ConfigureAwait(false);
        if (next == active)
        {
            await output.WriteLineAsync(Say($"readers already use generation {active}")).ConfigureAwait(false);
            return ExitCode.Success;
        }

        GenerationRecord? record = next == 0 ? null : await _records.ReadAsync(next).ConfigureAwait(false);
        int present = next == 0 ? 0 : (await _switch.ListAsync(next).ConfigureAwait(false)).Count;
        string objection =
            present == 0
                ? "it has no items in the store"
                : GenerationChecks.Objection(
                    record,
                    await _records.ReadAsync(active).ConfigureAwait(false),
                    Count(record, present),
                    _options
                );
        if (present == 0 || (objection.Length > 0 && !force))
        {
            await output
                .WriteLineAsync(
                    Say($"not switched to generation {next}: {objection}{(present == 0 ? string.Empty : ". Use --force to switch anyway")}")
                )
                .ConfigureAwait(false);
            return ExitCode.Failure;
        }

        return await FlipAsync(active, next, output).ConfigureAwait(false);
    }

    /// <summary>Switches readers to the newest generation before the active one that has items.</summary>
    public async Task<ExitCode> RollbackAsync(TextWriter output)
    {
        uint active = await _switch.ActiveAsync().ConfigureAwait(false);
        for (uint old = active; old-- > 1; )
        {
            if ((await _switch.ListAsync(old).ConfigureAwait(false)).Count > 0)
            {
                return await FlipAsync(active, old, output).ConfigureAwait(false);
            }
        }

        await output.WriteLineAsync(Say($"no generation before {active} still has items in the store")).ConfigureAwait(false);
        return ExitCode.Failure;
    }

    /// <summary>Sets an expiry on a generation's items.</summary>
    public async Task<ExitCode> RetireAsync(uint generation, string keep, TextWriter output)
    {
        TimeSpan keepFor;
        try
        {
            keepFor = (TimeSpan)SettingValue.Parse(keep, typeof(TimeSpan))!;
            ArgumentOutOfRangeException.ThrowIfLessThan(keepFor, TimeSpan.FromSeconds(1));
        }
        catch (Exception exception) when (exception is FormatException or ArgumentOutOfRangeException)
        {
            throw new SettingsException([$"--keep is {keep}; allowed: a time of 1s or more, such as 1h or 7d."]);
        }

        if (generation == 0 || await _switch.ActiveAsync().ConfigureAwait(false) == generation)
        {
            throw new SettingsException([$"generation is {generation}; allowed: one that readers do not use."]);
        }

        IReadOnlyList<string> ids = await _switch.ListAsync(generation).ConfigureAwait(false);
        await _switch.RetireAsync(generation, ids, keepFor).ConfigureAwait(false);
        await output.WriteLineAsync(Say($"{ids.Count} items of generation {generation} expire in {keep}")).ConfigureAwait(false);
        return ExitCode.Success;
    }

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>A record lags behind the store by some items, so its count need not be reached exactly.</summary>
    private GenerationCheck Count(GenerationRecord? record, int present) =>
        record is not null && present >= record.Items * (1 - _options.Tolerance)
            ? new GenerationCheck(present, present)
            : new GenerationCheck(record?.Items ?? 0, present);

    private async Task<ExitCode> FlipAsync(uint active, uint next, TextWriter output)
    {
        bool done = await _switch.FlipAsync(active, next).ConfigureAwait(false);
        await output
            .WriteLineAsync(
                done
                    ? Say($"readers moved from generation {active} to {next}")
                    : Say($"not switched: readers no longer use generation {active}; check again")
            )
            .ConfigureAwait(false);
        return done ? ExitCode.Success : ExitCode.Failure;
    }
}
