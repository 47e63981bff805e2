using System.CommandLine;
using StackExchange.Redis;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Publishing;
using Streaming.Worker.Failures;
using Streaming.Worker.Generations;
using Streaming.Worker.Run;

namespace Streaming.Worker.Commands;

/// <summary>`streaming generation`: lists generations and moves readers between them manually.</summary>
internal static class GenerationCommand
{
    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        Option<string?> file = SettingsOption.Create();
        file.Recursive = true;
        var command = new Command(
            "generation",
            "Show the generations in Redis. The subcommands move readers to another generation and let old ones expire. To start a new "
                + "generation, use `run --generation`. Exits with code 69 if Redis does not answer within 10 s."
        )
        {
            file,
        };
        command.SetAction(
            (result, cancellation) => RunAsync(result.GetValue(file), static admin => admin.ShowAsync(Console.Out), cancellation)
        );

        var next = new Argument<uint>("generation") { Description = "Generation to move readers to." };
        var force = new Option<bool>("--force") { Description = "Move readers even if a check fails." };
        var change = new Command(
            "switch",
            "Move readers to a generation after comparing its item count and recall with those of the one in use. Exits with code 1 if "
                + "a check fails."
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

        var rollback = new Command("rollback", "Move readers back to the generation before the one in use. Its items must still exist.");
        rollback.SetAction(
            (result, cancellation) => RunAsync(result.GetValue(file), static admin => admin.RollbackAsync(Console.Out), cancellation)
        );

        var old = new Argument<uint>("generation") { Description = "A generation that is not in use and whose worker has stopped." };
        var keep = new Option<string>("--keep") { Description = "Time until its items expire.", DefaultValueFactory = _ => "1d" };
        var retire = new Command(
            "retire",
            "Let the items of a generation expire early. Without this command they expire after STREAMING__Redis__TimeToLive."
        )
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
