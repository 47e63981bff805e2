using System.CommandLine;
using StackExchange.Redis;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Publishing;
using Streaming.Worker.Failures;
using Streaming.Worker.Generations;
using Streaming.Worker.Run;

namespace Streaming.Worker.Commands;

/// <summary>`streaming generation`: which generations there are, and moving readers between them by hand.</summary>
internal static class GenerationCommand
{
    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        Option<string?> file = SettingsOption.Create();
        file.Recursive = true;
        var command = new Command(
            "generation",
            "Show the generations in the Redis that the settings name; switch, rollback and retire move readers and clear up. A new one "
                + "is begun with `run --generation`. Exit code 69 when Redis does not answer within 10 s."
        )
        {
            file,
        };
        command.SetAction(
            (result, cancellation) => RunAsync(result.GetValue(file), static admin => admin.ShowAsync(Console.Out), cancellation)
        );

        var next = new Argument<uint>("generation") { Description = "The generation to move readers to." };
        var force = new Option<bool>("--force") { Description = "Move them whatever the checks say." };
        var change = new Command(
            "switch",
            "Check a generation's number of items and its recall against the one in use, and move readers to it; exit code 1 when a "
                + "check fails."
        )
        {
            next,
            force,
        };
        change.SetAction(
            (result, cancellation) =>
                RunAsync(
                    result.GetValue(file),
                    admin => admin.SwitchAsync(result.GetValue(next), result.GetValue(force), Console.Out),
                    cancellation
                )
        );

        var rollback = new Command(
            "rollback",
            "Move readers back to the generation before the one in use, whose items must still be there."
        );
        rollback.SetAction(
            (result, cancellation) => RunAsync(result.GetValue(file), static admin => admin.RollbackAsync(Console.Out), cancellation)
        );

        var old = new Argument<uint>("generation") { Description = "A generation that readers do not use, and whose worker has ended." };
        var keep = new Option<string>("--keep") { Description = "How long its items stay.", DefaultValueFactory = _ => "1d" };
        var retire = new Command("retire", "Let the items of a generation expire; without it they do after STREAMING__Redis__TimeToLive.")
        {
            old,
            keep,
        };
        retire.SetAction(
            (result, cancellation) =>
                RunAsync(
                    result.GetValue(file),
                    admin => admin.RetireAsync(result.GetValue(old), result.GetValue(keep)!, Console.Out),
                    cancellation
                )
        );

        command.Add(change);
        command.Add(rollback);
        command.Add(retire);
        return command;
    }

    private static async Task<int> RunAsync(string? file, Func<GenerationAdmin, Task<ExitCode>> act, CancellationToken cancellation)
    {
        WorkerOptions settings = WorkerSettings.Options(SettingsOption.ReadWithoutLog(file));

        // A person waits: one attempt to connect and one retry of each call, not the patience of a worker.
        RedisOptions options = settings.Redis with
        {
            RetryAttempts = 1,
        };
        ConnectionMultiplexer redis = await RedisConnection.OpenNowAsync(options, cancellation).ConfigureAwait(false);
        try
        {
            return (int)
                await act(new GenerationAdmin(redis.GetDatabase(), options, settings.Model.Widths, settings.Generation))
                    .ConfigureAwait(false);
        }
        catch (Exception exception) when (EmbeddingPublisher.IsOutage(exception))
        {
            throw new RedisUnavailableException(
                RedisConnection.Servers(options),
                await RedisConnection.DiagnoseAsync(options, exception, cancellation).ConfigureAwait(false),
                exception
            );
        }
        finally
        {
            RedisConnection.Close(redis);
        }
    }
}
