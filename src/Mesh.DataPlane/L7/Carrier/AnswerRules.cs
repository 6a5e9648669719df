using System.Net;

namespace Mesh.DataPlane.L7.Carrier;

/// <summary>Answers that different readers read differently, or that nobody asked for, are not passed on.</summary>
internal static class AnswerRules
{
    private const int HighestStatus = 599;

    /// <exception cref="BadAnswerException">The answer must not be passed on.</exception>
    public static void Check(HttpResponseMessage answer, bool isUpgrade)
    {
        if ((int)answer.StatusCode > HighestStatus)
        {
            throw new BadAnswerException($"its status {(int)answer.StatusCode} does not exist");
        }

        if (answer.StatusCode == HttpStatusCode.SwitchingProtocols && !isUpgrade)
        {
            throw new BadAnswerException("it switches protocols, which was not asked for");
        }

        if (answer.Headers.NonValidated.TryGetValues("Transfer-Encoding", out var codings)
            && (answer.Version < HttpVersion.Version11 || !string.Equals(codings.ToString(), "chunked", StringComparison.OrdinalIgnoreCase)
                || answer.Content.Headers.NonValidated.Contains("Content-Length")))
        {
            throw new BadAnswerException("its length is ambiguous");
        }

        if (answer.Headers.NonValidated.TryGetValues("Location", out var locations) && locations.Count > 1)
        {
            throw new BadAnswerException("it has two Location headers");
        }
    }
}
