using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Streaming.Serving;
using Streaming.Serving.Search;
using Streaming.Worker.Http;

namespace Streaming.Worker.Serve;

/// <summary>
/// The generations that requests are answered from: the one that readers use and, on trial, another one. A request is answered from one
/// of them alone, and the answer says which.
/// </summary>
/// <param name="active">Answers from the generation that readers use.</param>
/// <param name="trial">Answers from the generation on trial; null: there is none.</param>
/// <param name="share">The share of the users who are answered from the trial, 0 … 1.</param>
public sealed class ServedGenerations(Lookups active, Lookups? trial = null, double share = 0)
{
    /// <summary>Header of answers from an index: seconds since its last refresh.</summary>
    public const string AgeHeader = "X-Index-Age";

    /// <summary>Header of answers from an index: its generation.</summary>
    public const string GenerationHeader = "X-Generation";

    /// <summary>Gets the lookups of the generation that readers use.</summary>
    public Lookups Active => active;

    /// <summary>Gets the lookups of the generation on trial; null: there is none.</summary>
    public Lookups? Trial => trial;

    /// <summary>Gets the share of the users who are answered from the trial, 0 … 1.</summary>
    public double Share => share;

    /// <summary>Gets the generations that can be served now.</summary>
    public IEnumerable<uint> Served =>
        new[] { active, trial }
            .OfType<Lookups>()
            .Where(static lookups => lookups.Look().Reason is null)
            .Select(static lookups => lookups.Take().View.Generation)
            .Distinct();

    /// <summary>Returns what a request is answered from, sets the headers that say so, and labels the request's metrics.</summary>
    /// <param name="context">The request.</param>
    /// <param name="user">The user who is answered; null: nobody in particular.</param>
    /// <param name="generation">The generation that the request names; 0: none.</param>
    /// <exception cref="LookupException">The generation is not served, or no request can be answered now.</exception>
    public ServedItems Take(HttpContext context, string? user, uint generation)
    {
        ArgumentNullException.ThrowIfNull(context);
        bool isDrawn = trial is not null && user is not null && UserShare.Contains(user, share, trial.Pinned);
        Lookups chosen =
            generation != 0 ? Named(generation)
            : isDrawn && trial!.Look().Reason is null ? trial
            : active;
        (IndexStatus status, string? reason) = chosen.Look();
        if (reason is not null)
        {
            throw LookupException.Unavailable(reason);
        }

        ServedItems served = chosen.Take();
        if (generation != 0 && served.View.Generation != generation)
        {
            throw NotServed(generation); // Readers were moved to another one meanwhile.
        }

        context.Response.Headers[AgeHeader] = Lookups.Seconds(status.Age);
        context.Response.Headers[GenerationHeader] = $"{served.View.Generation}";
        Label(
            context,
            served.View.Generation,
            generation != 0 ? "named"
                : isDrawn ? "trial"
                : "others"
        );
        return served;
    }

    private Lookups Named(uint generation)
    {
        if (trial?.Pinned == generation)
        {
            return trial.IsGone ? throw NotServed(generation) : trial;
        }

        // What readers use is not known before the index is loaded: then it says so itself.
        return active.Take().View.Generation == generation || active.Look().Reason is not null ? active : throw NotServed(generation);
    }

    private LookupException NotServed(uint generation) =>
        LookupException.Wrong(
            $"generation is \"{generation}\"; allowed: {string.Join(", ", Served)}. STREAMING__Serve__TrialGeneration serves another one"
        );

    private static void Label(HttpContext context, uint generation, string group)
    {
        if (context.Features.Get<IHttpMetricsTagsFeature>() is { } metrics)
        {
            metrics.Tags.Add(new("generation", generation));
            metrics.Tags.Add(new("group", group));
        }
    }
}
