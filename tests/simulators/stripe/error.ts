interface Details {
  code?: string;
  param?: string;
  type?: string;
  /** Refused before anything was done: not kept for an idempotency key. */
  early?: boolean;
}

/** A refusal in Stripe's form. */
export class StripeError extends Error {
  readonly status: number;
  readonly details: Details;

  constructor(status: number, message: string, details: Details = {}) {
    super(message);
    this.status = status;
    this.details = details;
  }

  body(requestId: string): Record<string, unknown> {
    const { code, param, type = 'invalid_request_error' } = this.details;
    const told = code === undefined ? {} : { code, doc_url: `https://docs.stripe.com/error-codes/${code.replaceAll('_', '-')}` };
    const named = param === undefined ? {} : { param };
    const url = `https://dashboard.stripe.com/test/logs/${requestId}`;
    return { error: { ...told, message: this.message, ...named, request_log_url: url, type } };
  }
}

/** A parameter that is wrong in itself, whatever else exists. */
export function badParameter(param: string, message: string, code?: string): StripeError {
  return new StripeError(400, message, { param, early: true, ...(code === undefined ? {} : { code }) });
}

/** An object that does not exist: not found by its path, or a bad request where a parameter names it. */
export function missing(what: string, id: string, param?: string): StripeError {
  const details = { code: 'resource_missing', param: param ?? 'id' };
  return new StripeError(param === undefined ? 404 : 400, `No such ${what}: '${id}'`, details);
}
