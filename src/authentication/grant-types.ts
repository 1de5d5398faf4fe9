/** RFC 8628, section 3.4. */
export const DEVICE_CODE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
/** As MSAL for Node.js and old clients call it. They wait for `authorization_declined` as well. */
export const DEVICE_CODE_ALIAS = 'device_code';
/** RFC 7523, section 2.1: here for Entra's on-behalf-of alone. */
export const ON_BEHALF_OF_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** RFC 8693, section 2.1. */
export const TOKEN_EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
